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

/// <summary>Exactly one request: who asks which node for what. Two are the same when method, node, name and bytes are.</summary>
/// <param name="Method">Full gRPC name.</param>
/// <param name="Node">The node that was asked.</param>
/// <param name="Caller">Name of who asks.</param>
/// <param name="Roles">The roles of who asks, for the other person to see.</param>
/// <param name="Request">The serialised request.</param>
/// <param name="Fields">What the other person may see of it.</param>
public sealed record ApprovalRequest(
    string Method, string Node, string Caller, IReadOnlyList<string> Roles, ReadOnlyMemory<byte> Request, IReadOnlyDictionary<string, string> Fields)
{
    // Each part behind its length, so that no two requests share a key.
    internal string Key()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string part in (ReadOnlySpan<string>)[Method, Node, Caller])
        {
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }
        hash.AppendData(Request.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>A request that waits for another person.</summary>
/// <param name="Id">What the other person approves.</param>
/// <param name="RequestDigest">SHA-256 of the serialised request, lower-case hexadecimal.</param>
public sealed record PendingApproval(
    string Id, string Method, string RequestedBy, IReadOnlyList<string> Roles, string RequestDigest, IReadOnlyDictionary<string, string> Fields,
    DateTimeOffset RequestedAt, DateTimeOffset ExpiresAt, IReadOnlyList<string> ApprovedBy);

/// <summary>
/// Requests that wait for a second person, and the approvals given: for exactly one request by one caller, valid for minutes, used up by
/// one call. Kept in memory; a restart forgets them, which denies. Thread-safe.
/// </summary>
public sealed class ApprovalBook(TimeProvider clock, TimeSpan lifetime)
{
    // LIMIT: requests that wait at the same time, in all and of one caller; who floods it displaces nobody and gets none.
    const int MaxPending = 1000, MaxPerCaller = 32;

    // LIMIT: people who approve one request; no policy asks for more.
    const int MaxApprovals = 8;

    readonly Lock _lock = new();
    readonly Dictionary<string, Entry> _byId = new(StringComparer.Ordinal);
    readonly Dictionary<string, Entry> _byKey = new(StringComparer.Ordinal);

    sealed class Entry(string key, PendingApproval pending)
    {
        public string Key { get; } = key;
        public PendingApproval Pending { get; set; } = pending;
        public List<Approval> Approvals { get; } = [];
    }

    /// <summary>How long a request waits and its approvals hold.</summary>
    public TimeSpan Lifetime => lifetime;

    /// <summary>Registers a request that was denied for want of a second person, and gives the id that the other person approves.</summary>
    /// <returns>The same again for the same request; null when too many wait already.</returns>
    public PendingApproval? Request(ApprovalRequest request)
    {
        string key = request.Key();
        lock (_lock)
        {
            DropExpired();
            if (_byKey.TryGetValue(key, out Entry? known)) return known.Pending;
            if (_byId.Count >= MaxPending || _byId.Values.Count(e => e.Pending.RequestedBy == request.Caller) >= MaxPerCaller) return null;
            DateTimeOffset now = clock.GetUtcNow();
            var entry = new Entry(key, new PendingApproval(
                Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), request.Method, request.Caller, [.. request.Roles],
                Convert.ToHexStringLower(SHA256.HashData(request.Request.Span)), request.Fields, now, now + lifetime, []));
            Add(entry);
            return entry.Pending;
        }
    }

    /// <summary>What waits, oldest first.</summary>
    public IReadOnlyList<PendingApproval> List()
    {
        lock (_lock)
        {
            DropExpired();
            return [.. _byId.Values.Select(e => e.Pending).OrderBy(p => p.RequestedAt).ThenBy(p => p.Id, StringComparer.Ordinal)];
        }
    }

    /// <param name="id">Of a request that waits.</param>
    /// <param name="by">Name of who approves.</param>
    /// <param name="roles">Roles of who approves; rules decide whether they suffice.</param>
    /// <param name="pending">The request; null when there is none of that id.</param>
    public ApprovalOutcome Approve(string id, string by, IReadOnlyList<string> roles, out PendingApproval? pending)
    {
        lock (_lock)
        {
            pending = null;
            if (!_byId.TryGetValue(id, out Entry? entry)) return ApprovalOutcome.Unknown;
            pending = entry.Pending;
            DateTimeOffset now = clock.GetUtcNow();
            if (pending.ExpiresAt <= now) return ApprovalOutcome.Expired;
            if (pending.RequestedBy == by) return ApprovalOutcome.OwnRequest;
            if (entry.Approvals.Count >= MaxApprovals || entry.Approvals.Any(a => a.By == by)) return ApprovalOutcome.AlreadyApproved;
            entry.Approvals.Add(new Approval(id, by, [.. roles], now, pending.ExpiresAt));
            pending = entry.Pending = pending with { ApprovedBy = [.. entry.Approvals.Select(a => a.By)] };
            return ApprovalOutcome.Accepted;
        }
    }

    /// <summary>
    /// The approvals of exactly this request; nobody else gets them from here on. <see cref="GiveBack"/> when they did not suffice.
    /// </summary>
    public TakenApprovals? Take(ApprovalRequest request)
    {
        string key = request.Key();
        lock (_lock)
        {
            DropExpired();
            if (!_byKey.TryGetValue(key, out Entry? entry) || entry.Approvals.Count == 0) return null;
            Remove(entry);
            return new TakenApprovals(entry, [.. entry.Approvals]);
        }
    }

    /// <summary>Lets the request wait on, with the approvals it has: the policy wanted others, or more.</summary>
    public void GiveBack(TakenApprovals taken)
    {
        lock (_lock)
        {
            var entry = (Entry)taken.Entry;
            // The same request was made again in the meantime: it waits under its new id.
            if (!_byKey.ContainsKey(entry.Key)) Add(entry);
        }
    }

    void Add(Entry entry)
    {
        _byId.Add(entry.Pending.Id, entry);
        _byKey.Add(entry.Key, entry);
    }

    void Remove(Entry entry)
    {
        _byId.Remove(entry.Pending.Id);
        _byKey.Remove(entry.Key);
    }

    void DropExpired()
    {
        DateTimeOffset now = clock.GetUtcNow();
        foreach (Entry entry in _byId.Values.Where(e => e.Pending.ExpiresAt <= now).ToArray()) Remove(entry);
    }
}

/// <summary>Approvals that were taken out of the book for one call. Only the book makes one.</summary>
public sealed class TakenApprovals
{
    internal TakenApprovals(object entry, IReadOnlyList<Approval> approvals)
    {
        Entry = entry;
        Approvals = approvals;
    }

    public IReadOnlyList<Approval> Approvals { get; }

    internal object Entry { get; }
}
