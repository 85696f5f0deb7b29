namespace Talos.Policy;

/// <summary>Names of variables, and those around them, which are shared and not copied: a long body has as many sets as expressions.</summary>
sealed class VariableSet(VariableSet? outer)
{
    readonly HashSet<string> _names = new(StringComparer.Ordinal);
    readonly List<string> _added = [];

    /// <summary>What was added here, in order.</summary>
    public IReadOnlyList<string> Added => _added;

    public bool Contains(string name)
    {
        for (VariableSet? set = this; set is not null; set = set.Outer)
            if (set._names.Contains(name)) return true;
        return false;
    }

    /// <summary>Whether it was not there yet.</summary>
    public bool Add(string name)
    {
        if (Contains(name)) return false;
        _names.Add(name);
        _added.Add(name);
        return true;
    }

    VariableSet? Outer { get; } = outer;
}
