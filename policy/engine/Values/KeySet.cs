namespace Talos.Policy;

/// <summary>Sorted distinct values with a lookup: the members of a set, or the keys that many objects share.</summary>
sealed class KeySet
{
    public static readonly KeySet Empty = new([]);

    // Below this, comparing one by one beats hashing.
    const int LinearSearch = 8;

    int[]? _buckets;
    int _hash;

    KeySet(Value[] sorted) => Sorted = sorted;

    public Value[] Sorted { get; }

    public int Count => Sorted.Length;

    /// <summary>Takes over an array that is sorted and has no duplicates.</summary>
    public static KeySet FromSorted(Value[] sorted) => sorted.Length == 0 ? Empty : new(sorted);

    /// <summary>Takes over an array, sorts it and drops duplicates.</summary>
    public static KeySet FromUnsorted(Value[] values)
    {
        Array.Sort(values, Value.Compare);
        int count = 0;
        for (int i = 0; i < values.Length; i++)
            if (count == 0 || !values[count - 1].Equals(values[i])) values[count++] = values[i];
        return FromSorted(count == values.Length ? values : values[..count]);
    }

    public int IndexOf(Value key)
    {
        Value[] sorted = Sorted;
        if (sorted.Length <= LinearSearch)
        {
            for (int i = 0; i < sorted.Length; i++)
                if (sorted[i].Equals(key)) return i;
            return -1;
        }
        int[] buckets = _buckets ??= MakeBuckets();
        int mask = buckets.Length - 1;
        for (int slot = Mix(key.GetHashCode()) & mask; ; slot = (slot + 1) & mask)
        {
            int index = buckets[slot];
            if (index == 0) return -1;
            if (sorted[index - 1].Equals(key)) return index - 1;
        }
    }

    public int IndexOf(string key)
    {
        if (Sorted.Length > LinearSearch) return IndexOf(new StringValue(key));
        for (int i = 0; i < Sorted.Length; i++)
            if (Sorted[i] is StringValue s && s.Text == key) return i;
        return -1;
    }

    public bool Contains(Value key) => IndexOf(key) >= 0;

    int[] MakeBuckets()
    {
        var buckets = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Sorted.Length * 2)];
        int mask = buckets.Length - 1;
        for (int i = 0; i < Sorted.Length; i++)
        {
            int slot = Mix(Sorted[i].GetHashCode()) & mask;
            while (buckets[slot] != 0) slot = (slot + 1) & mask;
            buckets[slot] = i + 1;
        }
        return buckets;
    }

    static int Mix(int hash) => (int)((uint)hash * 0x9E3779B1u >> 7);

    public override int GetHashCode()
    {
        if (_hash != 0) return _hash;
        var hash = new HashCode();
        foreach (Value value in Sorted) hash.Add(value.GetHashCode());
        return _hash = hash.ToHashCode() | 1;
    }

    public bool SameAs(KeySet other) => ReferenceEquals(this, other) || Sorted.AsSpan().SequenceEqual(other.Sorted);

    public static int Compare(KeySet a, KeySet b)
    {
        if (ReferenceEquals(a, b)) return 0;
        for (int i = 0; i < a.Count && i < b.Count; i++)
        {
            int order = Value.Compare(a.Sorted[i], b.Sorted[i]);
            if (order != 0) return order;
        }
        return a.Count.CompareTo(b.Count);
    }
}
