namespace Talos.Pki;

public sealed partial class SubjectPublicKey
{
    // LIMIT: RSA moduli; larger ones only cost the verifier time.
    internal const int MaximumRsaBits = 8192;

    // SubjectPublicKeyInfo ::= SEQUENCE { algorithm SEQUENCE { OID, parameters OPTIONAL }, subjectPublicKey BIT STRING }
    internal static SubjectPublicKey Parse(ref DerReader reader, ReadOnlyMemory<byte> document)
    {
        DerValue whole = reader.Read(DerTag.Sequence);
        DerReader info = whole.Reader();
        DerReader algorithm = info.ReadSequence();
        string id = algorithm.ReadObjectIdentifier();
        bool hasParameters = !algorithm.AtEnd;
        byte parametersTag = algorithm.PeekTag();
        Range parameters = default;
        string? curve = null;
        if (hasParameters)
        {
            DerReader copy = algorithm;
            parameters = algorithm.Read().Whole;
            if (id == ObjectIdentifiers.EcPublicKey && parametersTag == DerTag.ObjectIdentifier)
                curve = copy.ReadObjectIdentifier();
        }

        algorithm.RequireEnd();
        DerValue key = info.ReadOctetBits();
        info.RequireEnd();
        (KeyAlgorithm kind, int bits) = Classify(id, curve, parametersTag, key);
        return new SubjectPublicKey(kind, id, bits, document[whole.Whole], document[key.Inner])
        {
            HasParameters = hasParameters && parametersTag != DerTag.Null,
            RsaExponent = kind == KeyAlgorithm.Rsa ? RsaExponentOf(key) : 0,
            DsaParameters = kind == KeyAlgorithm.Dsa && parametersTag == DerTag.Sequence
                ? (parameters.Start.Value - whole.Start)..(parameters.End.Value - whole.Start) : null,
        };
    }

    static (KeyAlgorithm Algorithm, int Bits) Classify(string id, string? curve, byte parametersTag, DerValue key)
    {
        switch (id)
        {
            case ObjectIdentifiers.EcPublicKey:
                (KeyAlgorithm kind, int bits) = curve switch
                {
                    ObjectIdentifiers.P256 => (KeyAlgorithm.EcdsaP256, 256),
                    ObjectIdentifiers.P384 => (KeyAlgorithm.EcdsaP384, 384),
                    ObjectIdentifiers.P521 => (KeyAlgorithm.EcdsaP521, 521),
                    _ => (KeyAlgorithm.Unknown, 0), // RFC 5480 §2.1.1: explicit and inherited parameters are not used in PKIX
                };
                // RFC 5480 §2.2: an uncompressed point
                if (kind != KeyAlgorithm.Unknown && (key.Content.Length != 1 + (2 * ((bits + 7) / 8)) || key.Content[0] != 4))
                    throw new MalformedDerException(key.Start, "an elliptic curve key is no uncompressed point of its curve");
                return (kind, bits);
            case ObjectIdentifiers.Ed25519:
                // RFC 8410 §3: no parameters, 32 octets
                if (parametersTag != 0 || key.Content.Length != 32)
                    throw new MalformedDerException(key.Start, "an Ed25519 key has parameters or is not 32 octets long");
                return (KeyAlgorithm.Ed25519, 256);
            case ObjectIdentifiers.RsaEncryption:
                // RFC 3279 §2.3.1: parameters are NULL
                if (parametersTag != DerTag.Null)
                    throw new MalformedDerException(key.Start, "the parameters of an RSA key are not null");
                return (KeyAlgorithm.Rsa, RsaBits(key));
            case ObjectIdentifiers.RsaPss:
                // RFC 4055 §3.1: absent, or RSASSA-PSS-params
                if (parametersTag is not (0 or DerTag.Sequence))
                    throw new MalformedDerException(key.Start, "the parameters of an RSA key for PSS are of another type");
                return (KeyAlgorithm.Rsa, RsaBits(key));
            case ObjectIdentifiers.Dsa:
                DerReader y = key.Reader();
                y.ReadInteger();
                y.RequireEnd();
                return (KeyAlgorithm.Dsa, 8 * (key.Content.Length - 4) / 64 * 64);
            case ObjectIdentifiers.MlDsa44:
                return MlDsa(KeyAlgorithm.MlDsa44, 1312, parametersTag, key);
            case ObjectIdentifiers.MlDsa65:
                return MlDsa(KeyAlgorithm.MlDsa65, 1952, parametersTag, key);
            case ObjectIdentifiers.MlDsa87:
                return MlDsa(KeyAlgorithm.MlDsa87, 2592, parametersTag, key);
            default:
                return (KeyAlgorithm.Unknown, 0);
        }
    }

    // RFC 9881 §4: no parameters, the raw key
    static (KeyAlgorithm, int) MlDsa(KeyAlgorithm kind, int octets, byte parametersTag, DerValue key) =>
        parametersTag == 0 && key.Content.Length == octets
            ? (kind, octets * 8)
            : throw new MalformedDerException(key.Start, $"an ML-DSA key has parameters or is not {octets} octets long");

    // RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
    static int RsaBits(DerValue key)
    {
        DerReader outer = key.Reader();
        DerReader pair = outer.ReadSequence();
        outer.RequireEnd();
        DerValue modulus = pair.ReadInteger();
        DerValue exponent = pair.ReadInteger();
        pair.RequireEnd();
        ReadOnlySpan<byte> n = modulus.Content, e = exponent.Content;
        if (n[0] >= 0x80 || e[0] >= 0x80 || (n[^1] & 1) == 0 || (e[^1] & 1) == 0 || (e.Length == 1 && e[0] < 3))
            throw new MalformedDerException(key.Start, "an RSA key has an even or negative modulus or exponent") { Reason = PkiReason.WeakKey };
        // LIMIT: exponents up to 2^32; a longer one only slows the verifier down.
        if (e.Length > 5)
            throw new MalformedDerException(exponent.Start, "an RSA exponent is longer than 32 bits") { Reason = PkiReason.TooLarge };
        if (n[0] == 0)
            n = n[1..];
        int bits = (n.Length * 8) - (n.IsEmpty ? 0 : System.Numerics.BitOperations.LeadingZeroCount((uint)n[0]) - 24);
        if (bits > MaximumRsaBits)
            throw new MalformedDerException(modulus.Start, $"an RSA key of {bits} bits exceeds {MaximumRsaBits}") { Reason = PkiReason.TooLarge };
        return bits;
    }

    /// <summary>Of an RSA key, whose structure was checked when it was read.</summary>
    internal System.Numerics.BigInteger RsaModulus()
    {
        DerReader pair = new DerReader(_key.Span).ReadSequence();
        return new System.Numerics.BigInteger(pair.ReadInteger().Content, isUnsigned: true, isBigEndian: true);
    }

    static ulong RsaExponentOf(DerValue key)
    {
        DerReader pair = key.Reader().ReadSequence();
        pair.ReadInteger();
        ulong exponent = 0;
        foreach (byte b in pair.ReadInteger().Content)
            exponent = (exponent << 8) | b;
        return exponent;
    }

    /// <summary>This DSA key with the parameters of <paramref name="donor"/>.</summary>
    internal SubjectPublicKey WithParametersOf(SubjectPublicKey donor)
    {
        var writer = new DerWriter();
        using (writer.Sequence())
        {
            using (writer.Sequence())
            {
                writer.ObjectIdentifier(ObjectIdentifiers.Dsa);
                writer.Raw(donor.Der[donor.DsaParameters!.Value].Span);
            }

            using (writer.BitString())
                writer.Raw(Key.Span);
        }

        byte[] der = writer.ToArray();
        var reader = new DerReader(der);
        return Parse(ref reader, der);
    }
}
