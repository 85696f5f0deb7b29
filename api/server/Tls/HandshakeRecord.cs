using System.Net;
using Microsoft.Extensions.Logging;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>Puts failed handshakes on the record, bounded by source, so that knocking cannot fill the disk.</summary>
sealed class HandshakeRecord(AuditLog? audit, TimeProvider time, ILogger<HandshakeRecord> log)
{
    // LIMIT: per source, entries a minute; what comes on top is counted in the next entry.
    const int EntriesPerMinute = 20;

    // LIMIT: sources told apart at a time; the rest share one budget.
    const int MaxSources = 4096;

    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    readonly Lock gate = new();
    readonly Dictionary<IPAddress, Budget> budgets = [];

    public void Failed(Origin origin, HandshakeFailure failure, string detail, string subject = "")
    {
        log.LogWarning("handshake with {Source} failed: {Failure}: {Detail}", origin, failure.Id(), detail);
        if (audit is null || !TrySpend(origin.Seen, out var skipped)) return;
        var entry = new Entry
        {
            Kind = EntryKind.HandshakeFailed,
            Caller = new Talos.Audit.Caller { SourceAddress = origin.Source.ToString(), ForwardedBy = { origin.ForwardedBy } },
            Decision = new Decision { Effect = Effect.Deny, ReasonId = failure.Id(), Reason = detail },
            Message = $"handshake failed: {detail}",
        };
        if (subject.Length > 0) entry.Details["claimed_subject"] = subject;
        if (skipped > 0) entry.Details["skipped_before"] = skipped.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (audit.Post(entry) == AuditDisposition.Lost) log.LogError("a failed handshake from {Source} was not recorded", origin);
    }

    bool TrySpend(IPAddress source, out int skipped)
    {
        var now = time.GetTimestamp();
        lock (gate)
        {
            if (!budgets.TryGetValue(source, out var budget))
            {
                if (budgets.Count >= MaxSources) ForgetOld(now);
                var key = budgets.Count < MaxSources ? source : IPAddress.None;
                if (!budgets.TryGetValue(key, out budget)) budgets[key] = budget = new Budget { Since = now };
            }
            if (time.GetElapsedTime(budget.Since, now) >= Minute) (budget.Since, budget.Spent) = (now, 0);
            skipped = budget.Skipped;
            if (budget.Spent >= EntriesPerMinute)
            {
                budget.Skipped++;
                return false;
            }
            budget.Spent++;
            budget.Skipped = 0;
            return true;
        }
    }

    void ForgetOld(long now)
    {
        foreach (var (source, budget) in budgets.ToArray())
            if (budget.Skipped == 0 && time.GetElapsedTime(budget.Since, now) >= Minute) budgets.Remove(source);
    }

    sealed class Budget
    {
        public long Since { get; set; }

        public int Spent { get; set; }

        public int Skipped { get; set; }
    }
}
