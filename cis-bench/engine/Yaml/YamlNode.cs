namespace Talos.Checks.Yaml;

/// <summary>A YAML value with the place where it begins (line and column count from one).</summary>
abstract record YamlNode(int Line, int Column)
{
    public abstract string Kind { get; }
}

/// <param name="Plain">Not quoted and not a block: so `null`, `true` and numbers keep their YAML meaning.</param>
sealed record YamlScalar(string Value, bool Plain, bool Inline, int Line, int Column) : YamlNode(Line, Column)
{
    public override string Kind => "a value";

    public bool IsNull => Plain && Value is "" or "~" or "null";
}

sealed record YamlEntry(YamlScalar Key, YamlNode Value);

sealed record YamlMap(IReadOnlyList<YamlEntry> Entries, int Line, int Column) : YamlNode(Line, Column)
{
    public override string Kind => "a mapping";

    public YamlNode? this[string key]
    {
        get
        {
            foreach (var entry in Entries)
                if (entry.Key.Value == key) return entry.Value;
            return null;
        }
    }
}

sealed record YamlList(IReadOnlyList<YamlNode> Items, int Line, int Column) : YamlNode(Line, Column)
{
    public override string Kind => "a list";
}
