namespace Talos.Pki;

/// <summary>
/// Octets that passed lint and whose serial is on the record. Only <see cref="CertificateAuthority.PrepareAsync"/> makes
/// it, and <see cref="CertificateAuthority.Issue"/> redeems it once.
/// </summary>
public sealed class PreparedCertificate
{
    readonly ReadOnlyMemory<byte> _toBeSigned;
    int _redeemed;

    internal PreparedCertificate(CertificateAuthority authority, SerialRecord record, ReadOnlyMemory<byte> toBeSigned)
    {
        Authority = authority;
        Record = record;
        _toBeSigned = toBeSigned;
    }

    public SerialRecord Record { get; }

    public string Serial => Record.Serial;

    internal CertificateAuthority Authority { get; }

    /// <summary>The octets, the first time; afterwards a bug that throws.</summary>
    internal ReadOnlyMemory<byte> Redeem() => Interlocked.Exchange(ref _redeemed, 1) == 0
        ? _toBeSigned
        : throw new InvalidOperationException($"certificate {Serial} was issued before");
}
