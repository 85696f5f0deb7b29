using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Talos.AotSelfTest;

sealed record Document(string Name, double[] Values, Dictionary<string, string> Labels);

[JsonSerializable(typeof(Document))]
sealed partial class DocumentContext : JsonSerializerContext;

/// <summary>Parts of the class library that lean on native code or on the machine's data files.</summary>
static partial class LibraryCases
{
    internal static void Run(Cases cases)
    {
        cases.Run("library: compression round trips", () =>
        {
            var data = new byte[300_000];
            new Random(1).NextBytes(data.AsSpan(0, 100_000));
            RoundTrip(data, s => new GZipStream(s, CompressionLevel.Optimal, leaveOpen: true), s => new GZipStream(s, CompressionMode.Decompress));
            RoundTrip(data, s => new BrotliStream(s, CompressionLevel.Fastest, leaveOpen: true), s => new BrotliStream(s, CompressionMode.Decompress));
        });

        cases.Run("library: regular expressions", () =>
        {
            Expect.Equal("b", AfterA().Match("aab").Groups[1].Value);
            Expect.True(new Regex("(a|b)*c", RegexOptions.NonBacktracking).IsMatch(new string('a', 1000) + "c"));
        });

        cases.Run("library: JSON by generated code", () =>
        {
            var text = JsonSerializer.Serialize(new Document("n", [1.5, 2], new() { ["k"] = "v" }), DocumentContext.Default.Document);
            Expect.Equal("""{"Name":"n","Values":[1.5,2],"Labels":{"k":"v"}}""", text);
            Expect.Equal(2, JsonSerializer.Deserialize(text, DocumentContext.Default.Document)!.Values.Length);
        });

        cases.Run("library: numbers keep their digits", () =>
        {
            Expect.Equal("1.7976931348623157E+308", double.MaxValue.ToString(CultureInfo.InvariantCulture));
            Expect.Equal(0.1 + 0.2, double.Parse("0.30000000000000004", CultureInfo.InvariantCulture));
        });

        cases.Run("library: text without culture data", () =>
        {
            Expect.Equal("ÀÉ", "àé".ToUpperInvariant());
            Expect.True(string.Equals("a", "A", StringComparison.OrdinalIgnoreCase));
        });

        cases.Run("library: local time without zone files is a zone", () => Expect.True(TimeZoneInfo.Local.Id.Length > 0));
    }

    static void RoundTrip(byte[] data, Func<Stream, Stream> compress, Func<Stream, Stream> expand)
    {
        using var packed = new MemoryStream();
        using (var stream = compress(packed)) stream.Write(data);
        packed.Position = 0;
        using var unpacked = new MemoryStream();
        using (var stream = expand(packed)) stream.CopyTo(unpacked);
        Expect.True(unpacked.ToArray().AsSpan().SequenceEqual(data));
    }

    [GeneratedRegex("a(b)$")]
    private static partial Regex AfterA();
}
