using Talos.Api.Server;
using Talos.Audit;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Authority;

/// <summary>Puts on the record what the ledger took back. What power or a full disk kept from it is put there at the next start: twice rather than never.</summary>
sealed class RevocationRecord(ICertificateLedger ledger, AuditLog record)
{
    /// <summary>Records what one write took back; returns when that is durable.</summary>
    /// <param name="taken">What <see cref="ICertificateLedger.RevokeAsync"/> returned.</param>
    /// <param name="call">The call that asked; null when none did.</param>
    /// <exception cref="AuditLogException">The record cannot be written.</exception>
    /// <exception cref="LedgerException">The ledger cannot be written.</exception>
    public async Task RecordAsync(IReadOnlyList<Revocation> taken, string by, string reason, ServedCall? call)
    {
        if (taken.Count == 0) return;
        foreach (var revocation in taken) await AppendAsync(revocation.Serial, by, reason, call?.OpenedIndex);
        await ledger.MarkRevocationsRecordedAsync(taken[0].Sequence, taken[^1].Sequence, CancellationToken.None);
    }

    /// <summary>Records what was taken back and is not there.</summary>
    /// <inheritdoc cref="RecordAsync"/>
    public async Task CatchUpAsync()
    {
        var waiting = ledger.ListUnrecordedRevocations();
        if (waiting.Count == 0) return;
        foreach (var revocation in waiting) await AppendAsync(revocation.Serial, revocation.By, revocation.Reason, opened: null);
        await ledger.MarkRevocationsRecordedAsync(waiting[0].Sequence, waiting[^1].Sequence, CancellationToken.None);
    }

    Task AppendAsync(string serial, string by, string reason, ulong? opened)
    {
        var entry = AuditEvents.CertificateRevoked(serial, reason).During(opened);
        // The call says who it was.
        if (opened is null) entry.Details["by"] = by;
        return record.AppendAsync(entry, CancellationToken.None).AsTask();
    }
}
