using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Talos.Policy;

/// <summary>JSON Web Tokens in compact form (RFC 7519, RFC 7515).</summary>
static class TokenBuiltins
{
    // LIMIT: tokens inside of tokens.
    const int MaxNesting = 10;

    static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "EdDSA"];

    static readonly ArrayValue Unverified = new(BooleanValue.False, ObjectValue.Empty, ObjectValue.Empty);

    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("io.jwt.decode", v => Decode(Operand.Text(v, 1), 0)),
        .. Algorithms.Where(a => a[0] != 'H').Select(a => Builtin.Of("io.jwt.verify_" + a.ToLowerInvariant(), (t, k) => Value.From(Verify(Operand.Text(t, 1), Operand.Text(k, 2), a)))),
        .. Algorithms.Where(a => a[0] == 'H').Select(a => Builtin.Of("io.jwt.verify_" + a.ToLowerInvariant(), (t, k) => Value.From(VerifySecret(Operand.Text(t, 1), Operand.Text(k, 2), a)))),
        new("io.jwt.decode_verify", 2, (e, a) => DecodeVerify(e, Operand.Text(a[0], 1), Operand.Object(a[1], 2))),
        Builtin.Of("io.jwt.encode_sign_raw", (h, p, k) =>
        {
            string key = Operand.Text(k, 3);
            return EncodeSign(Operand.Text(h, 1), Operand.Text(p, 2), key);
        }),
        Builtin.Of("io.jwt.encode_sign", (h, p, k) => EncodeSign(ValueJson.Format(h, true), ValueJson.Format(p, true), ValueJson.Format(k))),
    ];

    sealed record Token(string Header, string Payload, string Signature)
    {
        public byte[] SignedText => Encoding.ASCII.GetBytes(Header + "." + Payload);

        public byte[] SignatureBytes => Part(Signature, "signature");

        public ObjectValue DecodedHeader
        {
            get
            {
                ObjectValue header = Json(Encoding.UTF8.GetString(Part(Header, "header")), "bad JWT header: ");
                // RFC 7516 §9 tells encrypted tokens by `enc`.
                return header.Get("enc") is null ? header : throw new BuiltinException("JWT is a JWE object, which is not supported");
            }
        }

        public string PayloadText => Encoding.UTF8.GetString(Part(Payload, "payload"));

        static byte[] Part(string text, string name)
        {
            try
            {
                return EncodingBuiltins.FromBase64(text, true, false);
            }
            catch (BuiltinException e)
            {
                throw new BuiltinException($"JWT {name} had invalid encoding: {e.Message}");
            }
        }
    }

    static ObjectValue Json(string text, string prefix)
    {
        try
        {
            return ValueJson.Parse(text) as ObjectValue ?? throw new BuiltinException(prefix + "decoded JSON type was not an Object");
        }
        catch (JsonException e)
        {
            throw new BuiltinException($"{prefix}invalid JSON: {e.Message}");
        }
    }

    static Token Split(string text)
    {
        if (!text.Contains('.', StringComparison.Ordinal)) throw new BuiltinException("encoded JWT had no period separators");
        string[] parts = text.Split('.');
        return parts.Length == 3 ? new Token(parts[0], parts[1], parts[2]) : throw new BuiltinException($"encoded JWT must have 3 sections, found {parts.Length}");
    }

    static ArrayValue Decode(string text, int depth)
    {
        if (depth > MaxNesting) throw new BuiltinException("tokens nest too deeply");
        Token token = Split(text);
        ObjectValue header = token.DecodedHeader;
        string payload = token.PayloadText;
        if (header.Get("cty") is StringValue { Text: "JWT" }) return Decode(payload.Trim('"', '\''), depth + 1);
        ObjectValue claims = Json(payload, "");
        return new ArrayValue(header, claims, Value.From(Convert.ToHexStringLower(token.SignatureBytes)));
    }

    static bool Verify(string text, string key, string algorithm)
    {
        Token token = Split(text);
        IReadOnlyList<VerificationKey> keys = VerificationKey.Parse(key);
        byte[] signature = token.SignatureBytes;
        ObjectValue header = token.DecodedHeader;
        string id = (header.Get("kid") as StringValue)?.Text ?? "", declared = (header.Get("alg") as StringValue)?.Text ?? "";
        if (id.Length > 0 && keys.FirstOrDefault(k => k.Id == id) is { } named) return named.Verify(algorithm, token.SignedText, signature);
        return keys.Any(k => (k.Algorithm.Length == 0 || k.Algorithm == declared) && k.Verify(algorithm, token.SignedText, signature));
    }

    static bool VerifySecret(string text, string secret, string algorithm)
    {
        Token token = Split(text);
        return VerificationKey.Secret(GoBytes.Of(secret)).Verify(algorithm, token.SignedText, token.SignatureBytes);
    }

    sealed class Constraints
    {
        public IReadOnlyList<VerificationKey>? Keys { get; set; }
        public string Secret { get; set; } = "";
        public string Algorithm { get; set; } = "";
        public string Issuer { get; set; } = "";
        public string Audience { get; set; } = "";
        public double Time { get; set; }
    }

    static Constraints Read(Evaluation e, ObjectValue o)
    {
        var constraints = new Constraints { Time = ((NumberValue)BuiltinRegistry.Find("time.now_ns")!.Invoke(e, [])!).ToDouble() };
        foreach ((Value key, Value value) in o.Pairs)
        {
            string name = (key as StringValue)?.Text ?? "";
            string Text() => value is StringValue s ? s.Text : throw new BuiltinException($"{name} constraint: must be a string");
            switch (name)
            {
                case "cert": constraints.Keys = VerificationKey.Parse(Text()); break;
                case "secret": constraints.Secret = Text(); break;
                case "alg": constraints.Algorithm = Text(); break;
                case "iss": constraints.Issuer = Text(); break;
                case "aud": constraints.Audience = Text(); break;
                case "time":
                    constraints.Time = value is NumberValue n ? n.ToDouble() : throw new BuiltinException("token time constraint: must be a number");
                    if (constraints.Time < 0) throw new BuiltinException("token time constraint: must not be negative");
                    break;
                default: throw new BuiltinException($"unknown token validation constraint: {name}");
            }
        }
        if (constraints.Keys is not null && constraints.Secret.Length > 0) throw new BuiltinException("duplicate key constraints");
        if (constraints.Keys is null && constraints.Secret.Length == 0) throw new BuiltinException("no key constraint");
        return constraints;
    }

    static ArrayValue DecodeVerify(Evaluation e, string text, ObjectValue o)
    {
        Constraints constraints = Read(e, o);
        for (int depth = 0; depth <= MaxNesting; depth++)
        {
            Token token = Split(text);
            ObjectValue header = token.DecodedHeader;
            if (!IsValid(header) || !SignatureHolds(constraints, header, token)) return Unverified;
            string payload = token.PayloadText;
            if (string.Equals((header.Get("cty") as StringValue)?.Text, "JWT", StringComparison.OrdinalIgnoreCase))
            {
                text = payload;
                continue;
            }
            ObjectValue claims = Json(payload, "");
            return ClaimsHold(constraints, claims) ? new ArrayValue(BooleanValue.True, header, claims) : Unverified;
        }
        throw new BuiltinException("tokens nest too deeply");
    }

    static bool IsValid(ObjectValue header)
    {
        foreach (string name in (string[])["alg", "kid", "typ", "cty"])
            if (header.Get(name) is { } value and not StringValue) throw new BuiltinException($"{name}: must be a string");
        if (header.Get("alg") is not StringValue { Text.Length: > 0 }) return false;
        if (header.Get("crit") is not { } critical) return true;
        if (critical is not ArrayValue list) throw new BuiltinException("crit: must be a list");
        if (list.Items.Length == 0) throw new BuiltinException("crit: must be a nonempty list");
        // RFC 7515 §4.1.11: a critical parameter that we do not know makes the token invalid.
        return list.Items.All(i => i is not StringValue s || header.Get(s.Text) is null || s.Text is "alg" or "kid" or "typ" or "cty" or "crit");
    }

    static bool SignatureHolds(Constraints constraints, ObjectValue header, Token token)
    {
        string algorithm = ((StringValue)header.Get("alg")!).Text, id = (header.Get("kid") as StringValue)?.Text ?? "";
        if (constraints.Algorithm.Length > 0 && constraints.Algorithm != algorithm) return false;
        byte[] signature = token.SignatureBytes, signed = token.SignedText;
        if (constraints.Keys is not { } keys) return VerificationKey.Secret(GoBytes.Of(constraints.Secret)).Verify(algorithm, signed, signature);
        if (id.Length > 0 && keys.FirstOrDefault(k => k.Id == id) is { } named) return named.Verify(algorithm, signed, signature);
        return keys.Any(k => (k.Algorithm.Length == 0 || k.Algorithm == algorithm) && k.Verify(algorithm, signed, signature));
    }

    // RFC 7519 §4.1
    static bool ClaimsHold(Constraints constraints, ObjectValue claims)
    {
        if (constraints.Issuer.Length > 0 && claims.Get("iss") is not StringValue { Text: var issuer }) return false;
        if (constraints.Issuer.Length > 0 && ((StringValue)claims.Get("iss")!).Text != constraints.Issuer) return false;
        switch (claims.Get("aud"))
        {
            case null when constraints.Audience.Length > 0:
            case StringValue s when s.Text != constraints.Audience:
            case ArrayValue a when !a.Items.Any(i => i is StringValue s && s.Text == constraints.Audience):
            case { } other when other is not (StringValue or ArrayValue):
                return false;
        }
        double now = constraints.Time / 1_000_000_000;
        if (claims.Get("exp") is { } exp && now >= (exp as NumberValue ?? throw new BuiltinException("exp value must be a number")).ToDouble()) return false;
        return claims.Get("nbf") is not { } nbf || now >= (nbf as NumberValue ?? throw new BuiltinException("nbf value must be a number")).ToDouble();
    }

    static Value EncodeSign(string header, string payload, string key)
    {
        Value parsedKey;
        try
        {
            parsedKey = ValueJson.Parse(key);
        }
        catch (JsonException)
        {
            throw new BuiltinException("failed to parse JWK: invalid JSON");
        }
        IReadOnlyList<VerificationKey> keys = VerificationKey.FromJson(parsedKey);
        if (keys.Count == 0) throw new BuiltinException("no keys found in JWK set");
        ObjectValue? headers;
        try
        {
            headers = ValueJson.Parse(header) as ObjectValue;
        }
        catch (JsonException)
        {
            // What begins as an object and breaks off is no JSON; anything else has no members.
            if (header.TrimStart().StartsWith('{')) throw new BuiltinException("missing or invalid 'alg' header: cannot parse JSON");
            headers = null;
        }
        if (headers?.Get("alg") is not StringValue { Text: var algorithm }) throw new BuiltinException("missing or invalid 'alg' header: jwsbb: header \"alg\" not found");
        if (!Algorithms.Contains(algorithm)) throw new BuiltinException($"unknown JWS algorithm: {algorithm}");
        if (headers.Get("typ") is not StringValue { Text: not "JWT" } && !IsJson(payload)) throw new BuiltinException("type is JWT but payload is not JSON");
        string text = EncodingBuiltins.ToBase64Url(Encoding.UTF8.GetBytes(header)) + "." + EncodingBuiltins.ToBase64Url(Encoding.UTF8.GetBytes(payload));
        return Value.From(text + "." + EncodingBuiltins.ToBase64Url(keys[0].Sign(algorithm, Encoding.ASCII.GetBytes(text))));
    }

    static bool IsJson(string text)
    {
        try
        {
            ValueJson.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false; // the answer to the question
        }
    }
}
