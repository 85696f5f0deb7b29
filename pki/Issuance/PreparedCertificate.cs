namespace Talos.Pki;

/// <summary>
/// Octets that passed lint and whose serial is on the record. Only <see cref="CertificateAuthority.PrepareAsync"/> makes
/// it, and <see cref="CertificateAuthority.Issue"/> redeems it once.
/// </summary>
public sealed class PreparedCertificate
{
    readonly Certificate _draft;
    int _redeemed;

    internal PreparedCertificate(CertificateAuthority authority, SerialRecord record, Certificate draft)
    {
        Authority = authority;
        Record = record;
        _draft = draft;
    }

    public SerialRecord Record { get; }

    public string Serial => Record.Serial;

    internal CertificateAuthority Authority { get; }

    /// <summary>What was linted, under the throw-away key's signature, the first time; afterwards a bug that throws.</summary>
    internal Certificate Redeem() => Interlocked.Exchange(ref _redeemed, 1) == 0
        ? _draft
        : throw new InvalidOperationException($"certificate {Serial} was issued before");
}
