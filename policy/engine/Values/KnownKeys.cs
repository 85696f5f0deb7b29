namespace Talos.Policy;

/// <summary>The keys of objects that are made again and again: sorted once, shared by all.</summary>
sealed class KnownKeys
{
    readonly KeySet _keys;
    readonly int[] _places;

    /// <param name="keys">Distinct, in the order in which values will be given.</param>
    public KnownKeys(params string[] keys)
    {
        var values = new Value[keys.Length];
        _places = new int[keys.Length];
        for (int i = 0; i < keys.Length; i++) values[i] = Value.From(keys[i]);
        _keys = KeySet.FromUnsorted((Value[])values.Clone());
        if (_keys.Count != keys.Length) throw new ArgumentException("a key is given twice", nameof(keys));
        for (int i = 0; i < keys.Length; i++) _places[i] = _keys.IndexOf(values[i]);
    }

    public ObjectValue Of(params ReadOnlySpan<Value> values)
    {
        if (values.Length != _places.Length) throw new ArgumentException("not one value a key", nameof(values));
        var placed = new Value[values.Length];
        for (int i = 0; i < placed.Length; i++) placed[_places[i]] = values[i];
        return new ObjectValue(_keys, placed);
    }
}
