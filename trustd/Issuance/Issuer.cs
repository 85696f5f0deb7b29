using System.Collections.Immutable;
using System.Security.Cryptography;
using Talos.Api.Server;
using Talos.Audit;
using Talos.Pki;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Issuance;

/// <summary>
/// Issues certificates: serial on the ledger → signature → certificate on the ledger → entry on the record → answer. Whatever fails, what
/// left this class is on both, and no serial is used twice.
/// </summary>
sealed class Issuer(CertificateAuthority authority, CertificateLedger ledger, AuditLog record)
{
    public Certificate Root => authority.Certificate;

    /// <summary>What peers are to trust, as concatenated PEM.</summary>
    public string BundlePem { get; } = authority.Certificate.ToPem();

    /// <summary>Issues one certificate.</summary>
    /// <param name="basis">Why: <c>token</c>, <c>renewal</c>, <c>delegation</c> or <c>self</c>.</param>
    /// <param name="requester">Who asked, for the ledger.</param>
    /// <param name="call">The call that asked, for the record; null for trustd's own certificate.</param>
    /// <exception cref="RefusalException">The request asks for more than was granted, or cannot be granted.</exception>
    public async Task<Certificate> IssueAsync(
        CertificateProfile profile, IdentityGrant grant, VerifiedRequest request, string basis, string requester, ServedCall? call, CancellationToken cancellation)
    {
        var keyDigest = KeyDigest(request);
        try
        {
            var prepared = await authority.PrepareAsync(profile, grant, request, ReserveAsync, cancellation);
            if (!prepared.Is(out var certificate, out var failure)) throw Refusals.From(failure);
            var issued = authority.Issue(certificate);
            // From here on nothing is cancelled: the certificate exists, so the ledger and the record have to say so.
            await ledger.RecordIssuedAsync(certificate.Serial, issued.Der, CancellationToken.None);
            await record.AppendAsync(Entry(certificate, basis, requester, call), CancellationToken.None);
            return issued;
        }
        catch (LedgerException e)
        {
            throw new RefusalException(RefusalReason.BackendUnavailable, e.Message) { Id = "ledger-unavailable", Hint = e.Hint };
        }
        catch (AuditLogException e)
        {
            throw new RefusalException(RefusalReason.AuditUnavailable, e.Message);
        }

        async ValueTask<SerialVerdict> ReserveAsync(SerialRecord serial, CancellationToken stop)
        {
            await ledger.ReserveAsync(
                new CertificateReservation(
                    serial.Serial, AuthorityInstance, grant.Name, grant.Roles, Spiffe(profile, grant), basis, requester, keyDigest, serial.NotBefore, serial.NotAfter), stop);
            return SerialVerdict.Recorded;
        }
    }

    /// <summary>SHA-256 of the request's public key: what tells a repetition from a second requester.</summary>
    public static byte[] KeyDigest(VerifiedRequest request) => SHA256.HashData(request.PublicKey.Der.Span);

    const byte AuthorityInstance = Authority.AuthorityFiles.Instance;

    static string Spiffe(CertificateProfile profile, IdentityGrant grant) => SpiffeId.Create(grant.Cluster, profile.Kind, grant.Name).Require().ToString();

    static Entry Entry(PreparedCertificate certificate, string basis, string requester, ServedCall? call)
    {
        var entry = new Entry { Kind = EntryKind.CertificateIssued, Message = $"issued {certificate.Serial} for {certificate.Record.Grant.Name}" };
        if (call?.OpenedIndex is { } opened) entry.Details["call"] = opened.ToString(System.Globalization.CultureInfo.InvariantCulture);
        entry.Details["serial"] = certificate.Serial;
        entry.Details["name"] = certificate.Record.Grant.Name;
        entry.Details["roles"] = string.Join(',', certificate.Record.Grant.Roles);
        entry.Details["profile"] = certificate.Record.Profile.Id;
        entry.Details["basis"] = basis;
        entry.Details["requester"] = requester;
        entry.Details["not_after"] = certificate.Record.NotAfter.ToString("O", System.Globalization.CultureInfo.InvariantCulture);
        return entry;
    }
}
