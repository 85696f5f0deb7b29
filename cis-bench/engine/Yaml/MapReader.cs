namespace Talos.Checks.Yaml;

/// <summary>Takes the fields out of a mapping and reports what is missing, of the wrong kind, or unknown.</summary>
sealed class MapReader(YamlMap map, string file, List<SourceError> errors)
{
    readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    public static MapReader? Of(YamlNode node, string what, string file, List<SourceError> errors)
    {
        if (node is YamlMap map) return new(map, file, errors);
        errors.Add(new(file, node.Line, node.Column, $"{what} must be a mapping, not {node.Kind}"));
        return null;
    }

    public YamlNode? Take(string key)
    {
        _taken.Add(key);
        return map[key];
    }

    /// <summary>The text of a field; null when it is not there. A field that is there must not be empty.</summary>
    public string? Text(string key) => Scalar(key)?.Value.Trim();

    public YamlScalar? Scalar(string key)
    {
        switch (Take(key))
        {
            case null:
                return null;
            case YamlScalar { IsNull: false } scalar when scalar.Value.AsSpan().Trim().Length > 0:
                return scalar;
            case YamlScalar empty:
                Error(empty, $"`{key}` is empty");
                return null;
            case var other:
                Error(other, $"`{key}` must be a text, not {other.Kind}");
                return null;
        }
    }

    /// <summary>The text of a field that must be there; empty after the error was noted.</summary>
    public string Required(string key)
    {
        if (Take(key) is not null) return Text(key) ?? "";
        errors.Add(new(file, map.Line, map.Column, $"`{key}` is missing"));
        return "";
    }

    public IReadOnlyList<YamlScalar> Texts(string key)
    {
        switch (Take(key))
        {
            case null:
                return [];
            case YamlList list:
                foreach (var item in list.Items)
                    if (item is not YamlScalar) Error(item, $"an item of `{key}` must be a text, not {item.Kind}");
                return [.. list.Items.OfType<YamlScalar>()];
            case var other:
                Error(other, $"`{key}` must be a list, not {other.Kind}");
                return [];
        }
    }

    public IReadOnlyList<YamlNode> Items(string key, bool required)
    {
        switch (Take(key))
        {
            case null:
                if (required) errors.Add(new(file, map.Line, map.Column, $"`{key}` is missing"));
                return [];
            case YamlList list:
                return list.Items;
            case var other:
                Error(other, $"`{key}` must be a list, not {other.Kind}");
                return [];
        }
    }

    /// <summary>Call last: every field that was not taken is unknown.</summary>
    public void RefuseOthers()
    {
        foreach (var entry in map.Entries)
            if (!_taken.Contains(entry.Key.Value))
                errors.Add(new(file, entry.Key.Line, entry.Key.Column, $"unknown field `{entry.Key.Value}`",
                    $"fields here are {string.Join(", ", _taken.Order(StringComparer.Ordinal))}"));
    }

    public void Error(YamlNode at, string message, string? hint = null) => errors.Add(new(file, at.Line, at.Column, message, hint));
}
