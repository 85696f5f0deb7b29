using System.Buffers.Binary;
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
    // Most keys come once. Of these there is left only an octet string's beginning, in a place that the next one takes.
    readonly ulong[] _glimpsed;
    volatile ConcurrentDictionary<ulong, SubjectPublicKey> _young = new();
    volatile ConcurrentDictionary<ulong, SubjectPublicKey> _old = new();
    int _youngCount;

    /// <param name="capacity">Most keys that are held, at about 2 KiB each.</param>
    public RecentKeys(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 2);
        _half = capacity / 2;
        _glimpsed = new ulong[capacity];
    }

    /// <summary>The same key if it was seen twice, with its handle; otherwise null.</summary>
    internal SubjectPublicKey? Recall(SubjectPublicKey key)
    {
        ulong id = Id(key);
        SubjectPublicKey? known = _young.GetValueOrDefault(id) ?? _old.GetValueOrDefault(id);
        return known is not null && known.Der.Span.SequenceEqual(key.Der.Span) ? known : null;
    }

    /// <returns>Whether the key is held from now on.</returns>
    internal bool Remember(SubjectPublicKey key)
    {
        ulong id = Id(key);
        if (Interlocked.Exchange(ref _glimpsed[id % (ulong)_glimpsed.Length], id) != id)
            return false;
        if (!_young.TryAdd(id, key))
            return false;
        // LIMIT: two generations of half the capacity; the older is dropped when the younger is full.
        if (Interlocked.Increment(ref _youngCount) <= _half)
            return true;
        lock (_turning)
        {
            if (_youngCount <= _half)
                return true;
            _old = _young;
            _young = new ConcurrentDictionary<ulong, SubjectPublicKey>();
            _youngCount = 0;
        }

        return true;
    }

    // The identifier is a digest, so any eight octets of it do; two keys that share them are told apart by the key itself.
    static ulong Id(SubjectPublicKey key) => BinaryPrimitives.ReadUInt64LittleEndian(key.Identifier.Span);
}
