using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Talos.Api.Server;
using Talos.Audit;
using Talos.Pki;
using Talos.Trustd.Authority;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Issuance;

/// <summary>
/// Issues certificates: serial on the ledger → signature → certificate on the ledger and entry on the record, side by side → answer. Whatever
/// fails, what left this class is on both, and no serial is used twice.
/// </summary>
sealed class Issuer(AuthorityKeeper keeper, ICertificateLedger ledger, AuditLog record)
{
    // The signing authority changes a few times in years; once more is enough, and a second change in between is a bug.
    const int Attempts = 3;

    /// <summary>Issues one certificate, by the authority that signs at that moment.</summary>
    /// <param name="order">What policy granted.</param>
    /// <param name="call">The call that asked, for the record; null for trustd's own certificate.</param>
    /// <param name="spend">
    /// Runs once, when the certificate is made up and linted and only its serial is not reserved yet: takes the use of a token, for instance, which
    /// nothing that is refused may cost.
    /// </param>
    /// <exception cref="RefusalException">The request asks for more than was granted, or cannot be granted.</exception>
    public async Task<Issued> IssueAsync(CertificateOrder order, VerifiedRequest request, ServedCall? call, CancellationToken cancellation, Func<Task>? spend = null)
    {
        var keyDigest = KeyDigest(request);
        ReservedSerial? reserved = null;
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                var set = keeper.Current;
                var prepared = await set.Signing.PrepareAsync(order.Profile, order.Grant, request, (serial, stop) => ReserveAsync(set, serial, stop), cancellation);
                // Another authority signs since a moment ago.
                if (prepared.Failure is { Reason: PkiReason.SerialNotRecorded } && attempt < Attempts && keeper.Current != set) continue;
                if (!prepared.Is(out var certificate, out var failure)) throw Refusals.From(failure);
                var issued = set.Signing.Issue(certificate);
                // From here on nothing is cancelled: the certificate exists, so the ledger and the record have to say so.
                var onLedger = ledger.RecordIssuedAsync(reserved!, issued.Der, CancellationToken.None);
                var onRecord = record.AppendAsync(Entry(certificate, order, call), CancellationToken.None).AsTask();
                await Task.WhenAll(onLedger, onRecord);
                return new Issued(issued, set.Intermediates, keeper.Current.BundlePem);
            }
        }
        catch (AuditLogException e)
        {
            throw new RefusalException(RefusalReason.AuditUnavailable, $"the certificate cannot be put on the record, so it is not given out: {e.Message}")
            {
                Hint = e.Reason == AuditLogReason.DiskFull ? "free space on the state file system of the control plane, then ask again" : "see the log of trustd, then ask again",
            };
        }

        async ValueTask<SerialVerdict> ReserveAsync(AuthoritySet set, SerialRecord serial, CancellationToken stop)
        {
            if (Interlocked.Exchange(ref spend, null) is { } take) await take();
            reserved = await ledger.ReserveAsync(
                new CertificateReservation(
                    serial.Serial, AuthorityFiles.Instance, order.Grant.Name, order.Grant.Roles, Spiffe(order), order.Basis, order.Requester, keyDigest,
                    serial.NotBefore, serial.NotAfter, set.Generation)
                {
                    Issuer = KeyIdentifier(set.Signing.Certificate),
                    Policy = order.Policy,
                    AuthenticatedAt = order.AuthenticatedAt,
                }, stop);
            return reserved is not null ? SerialVerdict.Recorded : SerialVerdict.NotRecorded;
        }
    }

    /// <summary>SHA-256 of the request's public key: what tells a repetition from a second requester.</summary>
    public static byte[] KeyDigest(VerifiedRequest request) => SHA256.HashData(request.PublicKey.Der.Span);

    /// <summary>What the ledger calls an authority: the identifier of its key, lower-case hexadecimal.</summary>
    public static string KeyIdentifier(Certificate authority) => Convert.ToHexStringLower(authority.SubjectKeyIdentifier!.Value.Span);

    static string Spiffe(CertificateOrder order) => SpiffeId.Create(order.Grant.Cluster, order.Profile.Kind, order.Grant.Name).Require().ToString();

    static Entry Entry(PreparedCertificate certificate, CertificateOrder order, ServedCall? call)
    {
        var entry = new Entry { Kind = EntryKind.CertificateIssued, Message = $"issued {certificate.Serial} for {order.Grant.Name}" };
        // In the order in which the record keeps them, which spares it the sorting.
        entry.Details["authenticated_at"] = order.AuthenticatedAt.ToString("O", CultureInfo.InvariantCulture);
        entry.Details["basis"] = order.Basis;
        if (call?.OpenedIndex is { } opened) entry.Details["call"] = opened.ToString(CultureInfo.InvariantCulture);
        entry.Details["name"] = order.Grant.Name;
        entry.Details["not_after"] = certificate.Record.NotAfter.ToString("O", CultureInfo.InvariantCulture);
        entry.Details["policy"] = order.Policy;
        entry.Details["profile"] = order.Profile.Id;
        entry.Details["requester"] = order.Requester;
        entry.Details["roles"] = string.Join(',', order.Grant.Roles);
        entry.Details["serial"] = certificate.Serial;
        return entry;
    }
}

/// <summary>What policy granted to whom, and why. Exactly this goes into the certificate and into the ledger.</summary>
sealed class CertificateOrder
{
    public required CertificateProfile Profile { get; init; }

    public required IdentityGrant Grant { get; init; }

    /// <summary>The way, as policy calls it.</summary>
    public required string Basis { get; init; }

    /// <summary>Who asked.</summary>
    public required string Requester { get; init; }

    /// <summary>Revision of the policy that decided.</summary>
    public required string Policy { get; init; }

    public required DateTimeOffset AuthenticatedAt { get; init; }
}

/// <summary>A certificate that is on the ledger and on the record, and what its holder needs beside it.</summary>
/// <param name="Intermediates">DER, from the issuer up, without the root.</param>
/// <param name="BundlePem">What to trust.</param>
sealed record Issued(Certificate Certificate, ImmutableArray<ReadOnlyMemory<byte>> Intermediates, string BundlePem);
