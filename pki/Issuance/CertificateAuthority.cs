using System.Security.Cryptography;

namespace Talos.Pki;

/// <summary>
/// Signs certificates with one P-256 key: <see cref="PrepareAsync"/> builds and checks the exact octets and records the
/// serial, <see cref="Issue"/> signs those octets once. Safe for use by several threads. Owns the key.
/// </summary>
public sealed partial class CertificateAuthority : IDisposable
{
    // Two integers of 33 octets at most, and what is around them, take 72.
    const int MaximumSignature = 80;

    readonly SigningKeys _keys;
    // One for the process, and none of any authority's.
    static readonly LintKey s_lintKey = new();

    readonly TimeProvider _time;
    readonly byte _instance;

    CertificateAuthority(Certificate certificate, SigningKeys keys, byte instance, TimeProvider time, CrlSharding? lists)
    {
        RevocationLists = lists;
        Certificate = certificate;
        _keys = keys;
        _instance = instance;
        _time = time;
    }

    /// <summary>The authority's own certificate: self-signed for a root.</summary>
    public Certificate Certificate { get; }

    /// <summary>Where outside verifiers find revocation lists; null when certificates name none.</summary>
    public CrlSharding? RevocationLists { get; }

    /// <summary>
    /// Takes an authority over: <paramref name="key"/> must be the P-256 key of <paramref name="certificate"/>.
    /// <paramref name="instance"/> opens every serial (1–255), so that two instances never draw the same.
    /// </summary>
    /// <param name="another">
    /// Opens the same key again: as many signatures are made at a time as there are processors. Null when there is one handle of it, as of a key in a
    /// token: signatures are made one after another.
    /// </param>
    public static Checked<CertificateAuthority> Load(
        Certificate certificate, ECDsa key, byte instance, TimeProvider time, CrlSharding? lists = null, Func<ECDsa>? another = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(instance);
        if (key.KeySize != 256 || certificate.PublicKey.Algorithm != KeyAlgorithm.EcdsaP256)
            return new PkiFailure(PkiReason.KeyNotAllowed, "the key of an authority is not a P-256 key");
        if (!key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(certificate.PublicKey.Der.Span))
            return new PkiFailure(PkiReason.IssuerMismatch, "the authority's key does not belong to its certificate");
        if (!certificate.IsAuthority || certificate.KeyUsage is not { } usage || !usage.HasFlag(KeyUsages.KeyCertSign))
            return new PkiFailure(PkiReason.IssuerMismatch, "the certificate is not one of an authority");
        if (certificate.SubjectKeyIdentifier is null)
            return new PkiFailure(PkiReason.IssuerMismatch, "the authority's certificate has no subject key identifier");
        if (SigningKeys.TryOpen(key, another) is not { } keys)
            return new PkiFailure(PkiReason.IssuerMismatch, "the authority's key was replaced while it was opened");
        return Checked<CertificateAuthority>.Of(new CertificateAuthority(certificate, keys, instance, time, lists));
    }

    /// <summary>
    /// Makes a self-signed root over a new P-256 key of the caller's. The caller keeps key and certificate; a root is no
    /// entry of a ledger, since nothing that verifies it reads one.
    /// </summary>
    public static Checked<CertificateAuthority> CreateRoot(
        ECDsa key, string cluster, byte instance, TimeProvider time, CertificateProfile? profile = null, CrlSharding? lists = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(instance);
        profile ??= CertificateProfile.OsRoot;
        var grant = new IdentityGrant { Cluster = cluster, Name = $"{cluster}-os-root" };
        if (grant.Fault(profile) is { } fault)
            return fault;
        byte[] spki = key.ExportSubjectPublicKeyInfo();
        var reader = new DerReader(spki);
        SubjectPublicKey publicKey = SubjectPublicKey.Parse(ref reader, spki);
        if (publicKey.Algorithm != KeyAlgorithm.EcdsaP256)
            return new PkiFailure(PkiReason.KeyNotAllowed, "the key of an authority is not a P-256 key");
        DateTimeOffset now = WholeSeconds(time.GetUtcNow());
        // The key's identifier sets a root apart from the one before it, also when both were made on one day.
        DistinguishedName subject = DistinguishedName.Create(
            (ObjectIdentifiers.Organization, cluster),
            (ObjectIdentifiers.CommonName, $"Talos OS root {Convert.ToHexStringLower(publicKey.Identifier.Span[..4])}"));
        byte[] toBeSigned = CertificateWriter.Write(new CertificateContent
        {
            Serial = DrawSerial(instance),
            Issuer = subject,
            Subject = subject,
            NotBefore = now - profile.Backdate,
            NotAfter = now + profile.Lifetime - profile.Backdate,
            PublicKey = publicKey,
            AuthorityKeyIdentifier = publicKey.Identifier,
            Profile = profile,
            Grant = grant,
        });
        Certificate root = Certificate.ParseDer(Sign(key, toBeSigned)).Require();
        if (CertificateLints.Run(root, LintScope.For(profile)) is [var finding, ..])
            return finding.ToFailure();
        return Load(root, key, instance, time, lists);
    }

    public void Dispose() => _keys.Dispose();

    internal static DateTimeOffset WholeSeconds(DateTimeOffset time) => new(time.UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);

    // 8-bit instance and 136 random bits: CABF BR §7.1 asks for 64, and no ledger is needed to keep instances apart.
    static byte[] DrawSerial(byte instance)
    {
        byte[] serial = RandomNumberGenerator.GetBytes(18);
        serial[0] = instance;
        return serial;
    }

    byte[] Sign(ReadOnlySpan<byte> toBeSigned)
    {
        Span<byte> signature = stackalloc byte[MaximumSignature];
        return Assemble(toBeSigned, signature[.._keys.Sign(toBeSigned, signature)]);
    }

    static byte[] Sign(ECDsa key, ReadOnlySpan<byte> toBeSigned)
    {
        Span<byte> signature = stackalloc byte[MaximumSignature];
        return Assemble(toBeSigned, signature[..SigningKeys.Sign(key, toBeSigned, signature)]);
    }

    static byte[] Assemble(ReadOnlySpan<byte> toBeSigned, ReadOnlySpan<byte> signature)
    {
        // A length in four octets, the algorithm and what is around the signature take less than 32.
        var writer = new DerWriter(toBeSigned.Length + signature.Length + 32);
        using (writer.Sequence())
        {
            writer.Raw(toBeSigned);
            using (writer.Sequence())
                writer.ObjectIdentifier(ObjectIdentifiers.Sha256WithEcdsa);
            using (writer.BitString())
                writer.Raw(signature);
        }

        return writer.ToArray();
    }
}
