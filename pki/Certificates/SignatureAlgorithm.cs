using System.Security.Cryptography;

namespace Talos.Pki;

/// <summary>Signature schemes, one value for each pair of key kind and hash that is ever verified.</summary>
public enum SignatureScheme
{
    /// <summary>None that this library verifies.</summary>
    Unknown = 0,
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
    Ed25519,
    RsaSha256,
    RsaSha384,
    RsaSha512,
    RsaPss,
    MlDsa,

    /// <summary>Broken; verified only under <see cref="ValidationPolicy.Historic"/>.</summary>
    RsaSha1,

    /// <summary>Broken; verified only under <see cref="ValidationPolicy.Historic"/>.</summary>
    EcdsaSha1,

    /// <summary>Obsolete; verified only under <see cref="ValidationPolicy.Historic"/>.</summary>
    DsaSha1,

    /// <summary>Obsolete; verified only under <see cref="ValidationPolicy.Historic"/>.</summary>
    DsaSha256,
}

/// <summary>An AlgorithmIdentifier of a signature (RFC 5280 §4.1.1.2).</summary>
public sealed class SignatureAlgorithm
{
    SignatureAlgorithm(SignatureScheme scheme, string id, HashAlgorithmName hash, ReadOnlyMemory<byte> der)
    {
        Scheme = scheme;
        Id = id;
        Hash = hash;
        Der = der;
    }

    public SignatureScheme Scheme { get; }

    public string Id { get; }

    public ReadOnlyMemory<byte> Der { get; }

    internal HashAlgorithmName Hash { get; }

    /// <summary>An RSA signature's parameters are absent instead of null.</summary>
    internal bool LacksNull { get; private init; }

    internal static SignatureAlgorithm Parse(ref DerReader reader, ReadOnlyMemory<byte> document)
    {
        DerValue whole = reader.Read(DerTag.Sequence);
        DerReader body = whole.Reader();
        string id = body.ReadObjectIdentifier();
        (SignatureScheme scheme, HashAlgorithmName hash, Parameters form) = id switch
        {
            ObjectIdentifiers.Sha256WithEcdsa => (SignatureScheme.EcdsaSha256, HashAlgorithmName.SHA256, Parameters.Absent),
            ObjectIdentifiers.Sha384WithEcdsa => (SignatureScheme.EcdsaSha384, HashAlgorithmName.SHA384, Parameters.Absent),
            ObjectIdentifiers.Sha512WithEcdsa => (SignatureScheme.EcdsaSha512, HashAlgorithmName.SHA512, Parameters.Absent),
            ObjectIdentifiers.Ed25519 => (SignatureScheme.Ed25519, default, Parameters.Absent),
            ObjectIdentifiers.Sha256WithRsa => (SignatureScheme.RsaSha256, HashAlgorithmName.SHA256, Parameters.Null),
            ObjectIdentifiers.Sha384WithRsa => (SignatureScheme.RsaSha384, HashAlgorithmName.SHA384, Parameters.Null),
            ObjectIdentifiers.Sha512WithRsa => (SignatureScheme.RsaSha512, HashAlgorithmName.SHA512, Parameters.Null),
            ObjectIdentifiers.RsaPss => (SignatureScheme.RsaPss, default, Parameters.Pss),
            ObjectIdentifiers.MlDsa44 or ObjectIdentifiers.MlDsa65 or ObjectIdentifiers.MlDsa87 => (SignatureScheme.MlDsa, default, Parameters.Absent),
            ObjectIdentifiers.Sha1WithRsa => (SignatureScheme.RsaSha1, HashAlgorithmName.SHA1, Parameters.Null),
            ObjectIdentifiers.Sha1WithEcdsa => (SignatureScheme.EcdsaSha1, HashAlgorithmName.SHA1, Parameters.Absent),
            ObjectIdentifiers.Sha1WithDsa => (SignatureScheme.DsaSha1, HashAlgorithmName.SHA1, Parameters.Absent),
            ObjectIdentifiers.Sha256WithDsa => (SignatureScheme.DsaSha256, HashAlgorithmName.SHA256, Parameters.Absent),
            _ => (SignatureScheme.Unknown, default(HashAlgorithmName), Parameters.Any),
        };
        bool lacksNull = false;
        switch (form)
        {
            case Parameters.Absent:
                body.RequireEnd(); // RFC 5758 §3.2, RFC 8410 §3
                break;
            case Parameters.Null:
                lacksNull = body.AtEnd; // RFC 4055 §5: they are to be null, and to be taken when they are absent
                if (!lacksNull && body.Read(DerTag.Null).Content.Length != 0)
                    throw new MalformedDerException(whole.Start, "the parameters of an RSA signature are not null");
                body.RequireEnd();
                break;
            case Parameters.Pss:
                hash = ReadPss(ref body, whole.Start);
                break;
            case Parameters.Any:
                if (!body.AtEnd)
                    body.Skip();
                body.RequireEnd();
                break;
        }

        return new SignatureAlgorithm(scheme, id, hash, document[whole.Whole]) { LacksNull = lacksNull };
    }

    // RSASSA-PSS-params (RFC 4055 §3.1), only with one of SHA-256, -384, -512 throughout and a salt of the hash's length.
    static HashAlgorithmName ReadPss(ref DerReader body, int start)
    {
        DerReader parameters = body.ReadSequence();
        body.RequireEnd();
        DerReader hash = parameters.Read(DerTag.ContextConstructed(0)).Reader();
        string hashId = ReadHash(ref hash);
        DerReader mask = parameters.Read(DerTag.ContextConstructed(1)).Reader();
        DerReader generator = mask.ReadSequence();
        mask.RequireEnd();
        string generatorId = generator.ReadObjectIdentifier();
        string maskHashId = ReadHash(ref generator);
        DerReader salt = parameters.Read(DerTag.ContextConstructed(2)).Reader();
        int saltLength = salt.ReadSmallInteger();
        salt.RequireEnd();
        parameters.RequireEnd();
        (HashAlgorithmName name, int size) = hashId switch
        {
            ObjectIdentifiers.Sha256 => (HashAlgorithmName.SHA256, 32),
            ObjectIdentifiers.Sha384 => (HashAlgorithmName.SHA384, 48),
            ObjectIdentifiers.Sha512 => (HashAlgorithmName.SHA512, 64),
            _ => (default(HashAlgorithmName), 0),
        };
        if (size == 0 || maskHashId != hashId || generatorId != ObjectIdentifiers.Mgf1 || saltLength != size)
            throw new MalformedDerException(start, "a PSS signature uses other parameters than one SHA-2 hash with a salt of its length")
            {
                Reason = PkiReason.UnsupportedAlgorithm,
            };
        return name;
    }

    static string ReadHash(ref DerReader reader)
    {
        DerReader algorithm = reader.ReadSequence();
        reader.RequireEnd();
        string id = algorithm.ReadObjectIdentifier();
        if (!algorithm.AtEnd)
            algorithm.Read(DerTag.Null);
        algorithm.RequireEnd();
        return id;
    }

    enum Parameters
    {
        Any = 0,
        Absent,
        Null,
        Pss,
    }
}
