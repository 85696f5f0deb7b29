using System.Text.Json;
using Talos.Audit;

namespace Talos.Conformance;

/// <summary>Runs the Merkle proof cases of transparency-dev/merkle: one JSON file a case, below a folder named for its kind.</summary>
static class Merkle
{
    static readonly string[] s_kinds = ["inclusion", "consistency", "subtreeinclusion", "subtreeconsistency"];

    public static int Run(string[] args)
    {
        bool list = args is [_, "--list-failing"];
        if (args.Length != (list ? 2 : 1) || !Directory.Exists(args[0]))
        {
            Console.Error.WriteLine("usage: merkle DIR [--list-failing]");
            return 2;
        }
        string directory = args[0];
        int passed = 0, failed = 0;
        foreach (string file in Directory.EnumerateFiles(directory, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string outcome = Outcome(file);
            if (outcome.Length == 0) passed++;
            else failed++;
            if (outcome.Length != 0 && (list || failed <= 20)) Console.WriteLine($"{Path.GetRelativePath(directory, file)}: {outcome}");
        }
        Console.WriteLine($"{passed} passed, {failed} failed");
        // A folder without cases is no success.
        return failed == 0 && passed != 0 ? 0 : 1;
    }

    // Empty when the case does as it should.
    static string Outcome(string file)
    {
        try
        {
            // The innermost folder of a known name, so that DIR may also be the folder of one kind.
            string? kind = Path.GetFullPath(file).Split('/').LastOrDefault(static part => s_kinds.Contains(part));
            if (kind is null) return "the file lies in no folder of a known kind";
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            Case test = new(document.RootElement);
            MerkleVerdict verdict = kind switch
            {
                "inclusion" => MerkleProof.CheckInclusion(
                    test.Number("leafIdx"), test.Number("treeSize"), test.Bytes("leafHash"), test.Proof(), test.Bytes("root")),
                "consistency" => MerkleProof.CheckConsistency(
                    test.Number("size1"), test.Number("size2"), test.Proof(), test.Bytes("root1"), test.Bytes("root2")),
                "subtreeinclusion" => MerkleProof.CheckSubtreeInclusion(
                    test.Number("leafIdx"), test.Number("start"), test.Number("end"), test.Bytes("leafHash"), test.Proof(), test.Bytes("root")),
                _ => MerkleProof.CheckSubtreeConsistency(
                    test.Number("start"), test.Number("end"), test.Number("size"), test.Proof(), test.Bytes("root1"), test.Bytes("root2")),
            };
            test.RequireAllRead();
            bool refused = verdict != MerkleVerdict.Verified;
            return refused == test.WantError ? "" : $"{verdict}, but wantErr is {test.WantError}";
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            return $"the case cannot be read: {e.Message}";
        }
    }

    // Strict: a field that no one asked for makes the case fail.
    sealed class Case(JsonElement element)
    {
        readonly HashSet<string> _read = ["desc", "wantErr"];

        public bool WantError => element.GetProperty("wantErr").GetBoolean();

        public ulong Number(string name) => Field(name).GetUInt64();

        public byte[] Bytes(string name) => Field(name) is { ValueKind: not JsonValueKind.Null } value ? value.GetBytesFromBase64() : [];

        public byte[][] Proof() =>
            Field("proof") is { ValueKind: JsonValueKind.Array } list
                ? [.. list.EnumerateArray().Select(static hash => hash.ValueKind == JsonValueKind.Null ? [] : hash.GetBytesFromBase64())]
                : [];

        public void RequireAllRead()
        {
            foreach (JsonProperty property in element.EnumerateObject())
                if (!_read.Contains(property.Name)) throw new FormatException($"unknown field `{property.Name}`");
        }

        JsonElement Field(string name)
        {
            _read.Add(name);
            return element.GetProperty(name);
        }
    }
}
