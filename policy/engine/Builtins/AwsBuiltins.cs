using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Talos.Policy;

/// <summary>AWS Signature Version 4.</summary>
static class AwsBuiltins
{
    static readonly string[] RequestKeys = ["method", "url"];
    static readonly string[] ConfigKeys = ["aws_access_key", "aws_secret_access_key", "aws_service", "aws_region"];

    public static IEnumerable<Builtin> All => [Builtin.Of("providers.aws.sign_req", SignRequest)];

    static void Require(ObjectValue o, string[] keys, int position, string what)
    {
        Value[] missing = [.. keys.Where(k => o.Get(k) is null).Select(Value.From)];
        if (missing.Length > 0) throw BuiltinException.Operand(position, $"missing required {what} parameters(s): {SetValue.From(missing)}");
        Value[] invalid = [.. keys.Where(k => o.Get(k) is not StringValue).Select(Value.From)];
        if (invalid.Length > 0) throw BuiltinException.Operand(position, $"invalid values for required {what} parameters(s): {SetValue.From(invalid)}");
    }

    static ObjectValue SignRequest(Value r, Value c, Value t)
    {
        ObjectValue request = Operand.Object(r, 1), config = Operand.Object(c, 2);
        Require(request, RequestKeys, 1, "request");
        Require(config, ConfigKeys, 2, "AWS config");
        if (config.Get("disable_payload_signing") is { } choice and not BooleanValue) throw BuiltinException.Operand(2, "invalid value for 'disable_payload_signing' in AWS config");
        if (!Operand.Number(t, 3).TryGetInt64(out long ns) || ns < 0) throw BuiltinException.Operand(3, "could not convert time_ns value into a unix timestamp");
        DateTime time = DateTime.UnixEpoch.AddTicks(ns / 100);
        string Of(ObjectValue o, string name) => ((StringValue)o.Get(name)!).Text;
        if (!Uri.TryCreate(Of(request, "url"), UriKind.Absolute, out Uri? url)) throw BuiltinException.Operand(1, "could not parse the url");
        bool unsigned = config.Get("disable_payload_signing") == BooleanValue.True;
        string service = Of(config, "aws_service");
        string bodyHash = unsigned ? "UNSIGNED-PAYLOAD" : Hex(SHA256.HashData(Body(request)));
        string stamp = time.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture), day = stamp[..8];

        var added = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["host"] = url.Authority, ["x-amz-date"] = stamp };
        if (service is "s3" or "glacier" or "lambda") added["x-amz-content-sha256"] = bodyHash;
        if (config.Get("aws_session_token") is StringValue token) added["x-amz-security-token"] = token.Text;
        var signed = new SortedDictionary<string, string>(added, StringComparer.Ordinal);
        ObjectValue headers = request.Get("headers") as ObjectValue ?? ObjectValue.Empty;
        foreach ((Value key, Value value) in headers.Pairs)
        {
            string name = ValueJson.KeyText(key).ToLowerInvariant();
            if (name is not ("authorization" or "user-agent" or "x-amzn-trace-id")) signed[name] = value is StringValue s ? s.Text.Trim() : ValueJson.Format(value);
        }
        string names = string.Join(';', signed.Keys);
        string canonical = $"{Of(request, "method")}\n{(url.AbsolutePath == "/" && !Of(request, "url").EndsWith('/') ? "" : url.AbsolutePath)}\n{CanonicalQuery(url)}\n{string.Concat(signed.Select(h => $"{h.Key}:{h.Value}\n"))}\n{names}\n{bodyHash}";
        string scope = $"{day}/{Of(config, "aws_region")}/{service}/aws4_request";
        string text = $"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        byte[] key2 = Encoding.UTF8.GetBytes("AWS4" + Of(config, "aws_secret_access_key"));
        foreach (string part in (string[])[day, Of(config, "aws_region"), service, "aws4_request"]) key2 = HMACSHA256.HashData(key2, Encoding.UTF8.GetBytes(part));
        string signature = Hex(HMACSHA256.HashData(key2, Encoding.UTF8.GetBytes(text)));

        Dictionary<Value, Value> all = headers.ToDictionary();
        foreach ((string name, string value) in added) all[Value.From(name)] = Value.From(value);
        all[Value.From("Authorization")] = Value.From($"AWS4-HMAC-SHA256 Credential={Of(config, "aws_access_key")}/{scope},SignedHeaders={names},Signature={signature}");
        return request.With(Value.From("headers"), ObjectValue.From(all));
    }

    static string CanonicalQuery(Uri url) => string.Join('&', url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Contains('=', StringComparison.Ordinal) ? p : p + "=").Order(StringComparer.Ordinal));

    static byte[] Body(ObjectValue request) =>
        request.Get("raw_body") is StringValue raw ? GoBytes.Of(raw.Text) : request.Get("body") is { } body ? Encoding.UTF8.GetBytes(ValueJson.Format(body, true)) : [];

    static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
