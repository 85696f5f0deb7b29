using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Talos.Policy;

/// <summary>
/// OPA's bundle signatures: <c>.signatures.json</c> holds one JWT whose payload lists every file with its hash. JSON and YAML are hashed
/// in canonical form, everything else byte by byte.
/// </summary>
static class BundleSignature
{
    public const string FileName = ".signatures.json";

    public static string Sign(IReadOnlyList<BundleFile> files, string privateKeyPem, string keyId, string scope)
    {
        (VerificationKey key, string algorithm) = VerificationKey.FromPrivatePem(privateKeyPem);
        var listed = new ArrayValue([.. files.Where(f => f.Path != FileName).Select(f => ObjectValue.From(
            ("name", Value.From(f.Path)), ("hash", Value.From(Hash(f, "SHA-256"))), ("algorithm", Value.From("SHA-256"))))]);
        ObjectValue payload = ObjectValue.From(("files", listed), ("keyid", Value.From(keyId)), ("scope", Value.From(scope)));
        ObjectValue header = ObjectValue.From(("alg", Value.From(algorithm)), ("typ", Value.From("JWT")), ("kid", Value.From(keyId)));
        string text = EncodingBuiltins.ToBase64Url(Encoding.UTF8.GetBytes(ValueJson.Format(header))) + "." + EncodingBuiltins.ToBase64Url(Encoding.UTF8.GetBytes(ValueJson.Format(payload)));
        string token = text + "." + EncodingBuiltins.ToBase64Url(key.Sign(algorithm, Encoding.ASCII.GetBytes(text)));
        return ValueJson.Format(ObjectValue.From(("signatures", new ArrayValue(Value.From(token)))));
    }

    public static void Verify(IReadOnlyList<BundleFile> files, BundleVerification verification)
    {
        BundleFile file = files.FirstOrDefault(f => f.Path == FileName)
            ?? throw new PolicyException("bundle_signature", FileName, "the bundle is not signed", "a key is configured, so only signed bundles are accepted");
        ObjectValue payload = Payload(file, verification);
        if (verification.Scope is { } scope && (payload.Get("scope") as StringValue)?.Text != scope)
            throw new PolicyException("bundle_signature", FileName, $"the signature is not for the scope `{scope}`");
        var unsigned = files.Where(f => f.Path != FileName).ToDictionary(f => f.Path, StringComparer.Ordinal);
        foreach (Value entry in payload.Get("files") is ArrayValue list ? list.Items : [])
        {
            string name = (entry.Get("name") as StringValue)?.Text ?? "";
            if (!unsigned.Remove(name, out BundleFile? signed)) throw new PolicyException("bundle_signature", name, "the signature names a file that is not in the bundle");
            string algorithm = (entry.Get("algorithm") as StringValue)?.Text ?? "";
            if (Hash(signed, algorithm) != (entry.Get("hash") as StringValue)?.Text) throw new PolicyException("bundle_signature", name, "the file is not the one that was signed");
        }
        if (unsigned.Count > 0) throw new PolicyException("bundle_signature", unsigned.Keys.Order(StringComparer.Ordinal).First(), "the file is not covered by the signature");
    }

    static ObjectValue Payload(BundleFile file, BundleVerification verification)
    {
        try
        {
            if (ValueJson.Parse(file.Content).Get("signatures") is not ArrayValue { Items: [StringValue token] })
                throw new PolicyException("bundle_signature", FileName, "expected exactly one signature");
            string[] parts = token.Text.Split('.');
            if (parts.Length != 3) throw new PolicyException("bundle_signature", FileName, "the signature is no token");
            ObjectValue? header = Part(parts[0]), payload = Part(parts[1]);
            string algorithm = (header?.Get("alg") as StringValue)?.Text ?? "";
            string keyId = (header?.Get("kid") as StringValue)?.Text ?? (payload?.Get("keyid") as StringValue)?.Text ?? "";
            if (verification.KeyId is { } wanted && keyId != wanted) throw new PolicyException("bundle_signature", FileName, $"the signature names the key `{keyId}`, not `{wanted}`");
            byte[] signature = EncodingBuiltins.FromBase64(parts[2], true, false);
            bool holds = VerificationKey.Parse(verification.KeyPem).Any(k => k.Verify(algorithm, Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]), signature));
            return holds && payload is not null ? payload : throw new PolicyException("bundle_signature", FileName, "the signature does not verify with the configured key");
        }
        catch (JsonException e)
        {
            throw new PolicyException([PolicyError.OfJson(FileName, e) with { Code = "bundle_signature" }]);
        }
        catch (BuiltinException e)
        {
            throw new PolicyException("bundle_signature", FileName, e.Message);
        }
    }

    static ObjectValue? Part(string text) => ValueJson.Parse(EncodingBuiltins.FromBase64(text, true, false)) as ObjectValue;

    static string Hash(BundleFile file, string algorithm)
    {
        byte[] content = file.Content;
        string name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
        try
        {
            if (name is ".manifest" or "data.json") content = Encoding.UTF8.GetBytes(ValueJson.Format(ValueJson.Parse(content)));
            else if (name is "data.yaml" or "data.yml") content = Encoding.UTF8.GetBytes(ValueJson.Format(YamlDocument.Read(Encoding.UTF8.GetString(content))));
        }
        catch (Exception e) when (e is JsonException or BuiltinException)
        {
            throw new PolicyException("bundle_signature", file.Path, $"the file cannot be hashed: {e.Message}");
        }
        return algorithm switch
        {
            "SHA-256" => Convert.ToHexStringLower(SHA256.HashData(content)),
            "SHA-384" => Convert.ToHexStringLower(SHA384.HashData(content)),
            "SHA-512" => Convert.ToHexStringLower(SHA512.HashData(content)),
            _ => throw new PolicyException("bundle_signature", file.Path, $"the hash algorithm `{algorithm}` is not accepted", "accepted are SHA-256, SHA-384 and SHA-512"),
        };
    }
}
