using System.Collections.Concurrent;

namespace Talos.Pki;

/// <summary>
/// Public keys that proved possession lately: a machine asks again with the same key while a person decides, or when an answer was lost, and taking a
/// P-256 key in is a part of the cost of verifying with it. Holds keys only, no verdicts: every request is verified. Safe for several threads.
/// </summary>
public sealed class RecentKeys
{
    readonly int _half;
    readonly Lock _turning = new();
    volatile ConcurrentDictionary<string, SubjectPublicKey> _young = new();
    volatile ConcurrentDictionary<string, SubjectPublicKey> _old = new();

    /// <param name="capacity">Most keys that are held, at about 2 KiB each.</param>
    public RecentKeys(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 2);
        _half = capacity / 2;
    }

    /// <summary>The same key if it was seen, with its handle from the second time on; otherwise null.</summary>
    internal SubjectPublicKey? Recall(SubjectPublicKey key)
    {
        string id = Convert.ToHexString(key.Identifier.Span);
        SubjectPublicKey? known = _young.GetValueOrDefault(id) ?? _old.GetValueOrDefault(id);
        return known is not null && known.Der.Span.SequenceEqual(key.Der.Span) ? known : null;
    }

    internal void Remember(SubjectPublicKey key)
    {
        _young.TryAdd(Convert.ToHexString(key.Identifier.Span), key);
        // LIMIT: two generations of half the capacity; the older is dropped when the younger is full.
        if (_young.Count <= _half)
            return;
        lock (_turning)
        {
            if (_young.Count <= _half)
                return;
            _old = _young;
            _young = new ConcurrentDictionary<string, SubjectPublicKey>();
        }
    }
}
