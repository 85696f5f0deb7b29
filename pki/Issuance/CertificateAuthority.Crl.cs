using System.Numerics;

namespace Talos.Pki;

public sealed partial class CertificateAuthority
{
    // For verifiers whose clocks run behind, as certificates do.
    static readonly TimeSpan s_crlBackdate = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Signs a revocation list for outside verifiers. Entries that belong to another shard, that repeat a serial, or that are
    /// removed on a complete list are bugs of the caller and throw.
    /// </summary>
    public CertificateRevocationList IssueCrl(CrlContent content)
    {
        Check(content);
        DateTimeOffset now = WholeSeconds(_time.GetUtcNow());
        var writer = new DerWriter();
        using (writer.Sequence())
        {
            writer.Integer(1);
            using (writer.Sequence())
                writer.ObjectIdentifier(ObjectIdentifiers.Sha256WithEcdsa);
            writer.Raw(Certificate.Subject.Der.Span);
            writer.Time(now - s_crlBackdate);
            writer.Time(now + content.Life);
            // RFC 5280 §5.1.2.6: absent rather than empty
            if (content.Entries.Count > 0)
                using (writer.Sequence())
                    foreach (CrlEntry entry in content.Entries)
                        Write(writer, entry);
            using (writer.Open(0xA0))
            using (writer.Sequence())
                WriteExtensions(writer, content);
        }

        return CertificateRevocationList.Parse(Sign(writer.Written)).Require();
    }

    void Check(CrlContent content)
    {
        if (Certificate.KeyUsage is not { } usage || !usage.HasFlag(KeyUsages.CrlSign))
            throw new InvalidOperationException("the authority's certificate does not let it sign revocation lists");
        ArgumentOutOfRangeException.ThrowIfNegative(content.Number);
        if (content.Number.GetByteCount(isUnsigned: true) > 20)
            throw new ArgumentException("the number of a list takes more than 20 octets", nameof(content));
        if (content.DeltaBase > content.Number)
            throw new ArgumentException("a delta is older than its base", nameof(content));
        var seen = new HashSet<string>();
        foreach (CrlEntry entry in content.Entries)
        {
            if (!seen.Add(entry.Serial))
                throw new ArgumentException($"serial {entry.Serial} is listed twice", nameof(content));
            if (RevocationLists is { } lists && lists.ShardOf(entry.Serial) != content.Shard)
                throw new ArgumentException($"serial {entry.Serial} belongs to shard {lists.ShardOf(entry.Serial)}, not {content.Shard}", nameof(content));
            if (entry.Reason == CrlReason.RemoveFromCrl && content.DeltaBase is null)
                throw new ArgumentException($"serial {entry.Serial} is removed on a complete list", nameof(content));
        }
    }

    static void Write(DerWriter writer, CrlEntry entry)
    {
        using (writer.Sequence())
        {
            writer.UnsignedInteger(Convert.FromHexString(entry.Serial));
            writer.Time(entry.RevokedAt);
            // §5.3.1: unspecified is left out
            if (entry.Reason == CrlReason.Unspecified)
                return;
            using (writer.Sequence())
            using (writer.Sequence())
            {
                writer.ObjectIdentifier(ObjectIdentifiers.CrlReason);
                using (writer.OctetString())
                    writer.Value(DerTag.Enumerated, [(byte)entry.Reason]);
            }
        }
    }

    void WriteExtensions(DerWriter writer, CrlContent content)
    {
        CertificateWriter.Extension(writer, ObjectIdentifiers.AuthorityKeyIdentifier, critical: false, w =>
        {
            using (w.Sequence())
                w.Value(0x80, Certificate.SubjectKeyIdentifier!.Value.Span);
        });
        CertificateWriter.Extension(writer, ObjectIdentifiers.CrlNumber, critical: false, w => Number(w, content.Number));
        if (content.DeltaBase is { } from)
            CertificateWriter.Extension(writer, ObjectIdentifiers.DeltaCrlIndicator, critical: true, w => Number(w, from));
        if (RevocationLists is not { } lists)
            return;
        // §5.2.4: a delta has the scope of its base, so it names the complete list's point
        CertificateWriter.Extension(writer, ObjectIdentifiers.IssuingDistributionPoint, critical: true, w =>
        {
            using (w.Sequence())
            using (w.Open(0xA0))
            using (w.Open(0xA0))
                w.Text(0x86, lists.CompleteUri(content.Shard));
        });
        if (content.DeltaBase is null)
            CertificateWriter.Extension(
                writer, ObjectIdentifiers.FreshestCrl, critical: false, w => CertificateWriter.WritePoint(w, lists.DeltaUri(content.Shard)));

        static void Number(DerWriter w, BigInteger number) => w.UnsignedInteger(number.ToByteArray(isUnsigned: true, isBigEndian: true));
    }
}
