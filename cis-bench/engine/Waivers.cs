using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Talos.Checks.Yaml;

namespace Talos.Checks;

/// <summary>Waivers whose signatures nobody looked at. A type of its own, so that they cannot be given to the gate.</summary>
public sealed class UnsignedWaivers
{
    internal UnsignedWaivers(IReadOnlyList<Waiver> entries) => Entries = entries;

    public IReadOnlyList<Waiver> Entries { get; }
}

/// <summary>
/// A file of waivers: `waivers:` with a list of `id`, `reason`, `owner`, `expiry` (`yyyy-MM-dd`) and `signature`. Every signature was
/// verified against a trusted key when the file was read; a file with one that does not verify is refused as a whole.
/// </summary>
public sealed class Waivers
{
    // LIMIT: one for each check of the largest benchmark.
    const int MaxWaivers = 1_000;

    Waivers(IReadOnlyList<Waiver> entries) => Entries = entries;

    public static Waivers None { get; } = new([]);

    public IReadOnlyList<Waiver> Entries { get; }

    public Waiver? For(string id) => Entries.FirstOrDefault(w => w.Id == id);

    /// <summary>The waiver that covers a finding on this day; null for what needs none.</summary>
    public Waiver? Covering(CheckResult result, DateOnly today) =>
        result.Verdict is Verdict.Fail or Verdict.Unknown && For(result.Check.Id) is { } waiver && waiver.Expiry >= today ? waiver : null;

    /// <param name="path">The waivers.</param>
    /// <param name="signers">A PEM file with the public keys whose signatures count.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static Parsed<Waivers> Load(string path, string signers) => Parse(File.ReadAllText(path), path, File.ReadAllText(signers), signers);

    public static Parsed<Waivers> Parse(string text, string file, string signersPem, string signersFile)
    {
        var keys = new List<ECDsa>();
        try
        {
            if (ReadKeys(signersPem, signersFile, keys) is { } wrongKey) return new([wrongKey]);
            var read = Read(text, file);
            if (read.Value is not { } waivers) return read;
            var forged = waivers.Entries.Where(w => !IsSigned(w, keys)).ToArray();
            return forged.Length == 0
                ? read
                : new([.. forged.Select(w => new SourceError(file, w.Line, 1, $"the waiver of `{w.Id}` is not signed by a trusted key",
                    "sign it again after every change: osctl compliance sign"))]);
        }
        finally
        {
            foreach (var key in keys) key.Dispose();
        }
    }

    /// <summary>Reads a file without looking at its signatures: for signing it. What is read so cannot pass a gate.</summary>
    public static Parsed<UnsignedWaivers> ReadUnsigned(string text, string file)
    {
        var read = Read(text, file, signatureRequired: false);
        return read.Value is { } waivers ? new(new UnsignedWaivers(waivers.Entries)) : new(read.Errors);
    }

    /// <summary>The file's text, as <see cref="Parse"/> reads it.</summary>
    public static string Write(IEnumerable<Waiver> waivers)
    {
        var text = new StringBuilder("waivers:\n");
        foreach (var w in waivers)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - id: {w.Id}\n    reason: >-\n");
            foreach (var line in Wrap(w.Reason)) text.Append(CultureInfo.InvariantCulture, $"      {line}\n");
            text.Append(CultureInfo.InvariantCulture, $"    owner: {w.Owner}\n    expiry: {w.Expiry:yyyy-MM-dd}\n    signature: {w.Signature}\n");
        }
        return text.ToString();
    }

    static Parsed<Waivers> Read(string text, string file, bool signatureRequired = true)
    {
        var errors = new List<SourceError>();
        var parsed = YamlText.ParseOne(text, file);
        if (parsed.Value is not { } document) return new(parsed.Errors);
        if (MapReader.Of(document, "a waiver file", file, errors) is not { } map) return new(errors);
        var waivers = new List<Waiver>();
        var items = map.Items("waivers", required: true);
        map.RefuseOthers();
        if (items.Count > MaxWaivers) return new([new SourceError(file, 1, 1, $"more than {MaxWaivers} waivers")]);
        foreach (var item in items)
        {
            if (MapReader.Of(item, "a waiver", file, errors) is not { } fields) continue;
            var (id, reason, owner) = (fields.Required("id"), fields.Required("reason"), fields.Required("owner"));
            var expiry = ReadDate(fields);
            var signature = signatureRequired ? fields.Required("signature") : fields.Text("signature") ?? "";
            fields.RefuseOthers();
            if (waivers.Exists(w => w.Id == id)) fields.Error(item, $"`{id}` is waived twice");
            waivers.Add(new(id, reason, owner, expiry, signature, item.Line));
        }
        return errors.Count > 0 ? new(errors) : new(new Waivers(waivers));
    }

    static DateOnly ReadDate(MapReader fields)
    {
        var scalar = fields.Scalar("expiry");
        if (scalar is null) fields.Required("expiry");
        else if (DateOnly.TryParseExact(scalar.Value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)) return date;
        else fields.Error(scalar, $"`{scalar.Value}` is no date", "dates are written 2027-01-31");
        return DateOnly.MinValue;
    }

    static SourceError? ReadKeys(string pem, string file, List<ECDsa> keys)
    {
        for (var rest = pem.AsSpan(); PemEncoding.TryFind(rest, out var fields); rest = rest[fields.Location.End..])
        {
            if (!rest[fields.Label].SequenceEqual("PUBLIC KEY")) return new(file, 1, 1, $"the file holds `{rest[fields.Label]}`, not public keys only");
            var key = ECDsa.Create();
            keys.Add(key);
            try
            {
                key.ImportFromPem(rest[fields.Location]);
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                return new(file, 1, 1, $"key {keys.Count} is no elliptic-curve public key: {e.Message.TrimEnd('.')}");
            }
        }
        return keys.Count > 0 ? null : new(file, 1, 1, "the file holds no public key");
    }

    static bool IsSigned(Waiver waiver, List<ECDsa> keys)
    {
        var signature = new byte[waiver.Signature.Length];
        if (!Convert.TryFromBase64String(waiver.Signature, signature, out var length)) return false;
        return keys.Exists(k => k.VerifyData(waiver.SignedBytes(), signature.AsSpan(0, length), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    static IEnumerable<string> Wrap(string reason)
    {
        var line = new StringBuilder();
        foreach (var word in reason.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + word.Length > 120)
            {
                yield return line.ToString();
                line.Clear();
            }
            line.Append(line.Length > 0 ? " " : "").Append(word);
        }
        yield return line.ToString();
    }
}
