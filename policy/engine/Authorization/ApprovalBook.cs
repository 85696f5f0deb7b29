using System.Security.Cryptography;
using System.Text;

namespace Talos.Policy;

/// <summary>Why an approval was not accepted.</summary>
public enum ApprovalOutcome
{
    Unknown = 0,
    Expired,
    OwnRequest,
    AlreadyApproved,
    Accepted,
}

/// <summary>A request that waits for another person.</summary>
public sealed record PendingApproval(string Id, string Method, string RequestedBy, DateTimeOffset ExpiresAt);

/// <summary>
/// Requests that wait for a second person, and the approvals given: for exactly one request by one caller, valid for minutes, used up by
/// one call. Kept in memory; a restart forgets them, which denies. Thread-safe.
/// </summary>
public sealed class ApprovalBook(TimeProvider clock, TimeSpan lifetime)
{
    // LIMIT: requests that wait at the same time; a caller who floods it only displaces nobody and gets none.
    const int MaxPending = 1000;

    readonly Lock _lock = new();
    readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    sealed class Entry(PendingApproval pending, string digest)
    {
        public PendingApproval Pending { get; } = pending;
        public string Digest { get; } = digest;
        public Approval? Approval { get; set; }
    }

    /// <summary>Registers a request that was denied for want of a second person, and gives the id that the other person approves.</summary>
    /// <returns>Null when too many requests wait already.</returns>
    public PendingApproval? Request(string method, string node, string caller, ReadOnlySpan<byte> request)
    {
        string digest = Digest(method, node, caller, request);
        lock (_lock)
        {
            DropExpired();
            if (_entries.Values.FirstOrDefault(e => e.Digest == digest) is { } known) return known.Pending;
            if (_entries.Count >= MaxPending) return null;
            var pending = new PendingApproval(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), method, caller, clock.GetUtcNow() + lifetime);
            _entries.Add(pending.Id, new Entry(pending, digest));
            return pending;
        }
    }

    public ApprovalOutcome Approve(string id, string by, IReadOnlyList<string> roles)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(id, out Entry? entry)) return ApprovalOutcome.Unknown;
            DateTimeOffset now = clock.GetUtcNow();
            if (entry.Pending.ExpiresAt <= now) return ApprovalOutcome.Expired;
            if (entry.Pending.RequestedBy == by) return ApprovalOutcome.OwnRequest;
            if (entry.Approval is not null) return ApprovalOutcome.AlreadyApproved;
            entry.Approval = new Approval(id, by, [.. roles], now, entry.Pending.ExpiresAt);
            return ApprovalOutcome.Accepted;
        }
    }

    /// <summary>The approvals of exactly this request, which are used up by asking.</summary>
    public IReadOnlyList<Approval> Take(string method, string node, string caller, ReadOnlySpan<byte> request)
    {
        string digest = Digest(method, node, caller, request);
        lock (_lock)
        {
            DropExpired();
            if (_entries.Values.FirstOrDefault(e => e.Digest == digest && e.Approval is not null) is not { } entry) return [];
            _entries.Remove(entry.Pending.Id);
            return [entry.Approval!];
        }
    }

    void DropExpired()
    {
        DateTimeOffset now = clock.GetUtcNow();
        foreach (string id in _entries.Where(e => e.Value.Pending.ExpiresAt <= now).Select(e => e.Key).ToArray()) _entries.Remove(id);
    }

    // Each part behind its length, so that no two requests share a digest.
    static string Digest(string method, string node, string caller, ReadOnlySpan<byte> request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string part in (ReadOnlySpan<string>)[method, node, caller])
        {
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }
        hash.AppendData(request);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
