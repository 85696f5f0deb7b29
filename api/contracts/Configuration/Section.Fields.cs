namespace Talos.Api.Configuration;

sealed partial class Section
{
    /// <summary>A field that must be there. After an error the value is the type's default; see the class.</summary>
    public T Required<T>(string field, ScalarFormat<T> format)
    {
        if (Look(field) is { } entry) return Scalar(entry.Value, Name(field), format, default!);
        _missing.Add(field);
        return default!;
    }

    public T Optional<T>(string field, ScalarFormat<T> format, T fallback) =>
        Look(field) is { } entry ? Scalar(entry.Value, Name(field), format, fallback) : fallback;

    /// <summary>A list of single values; empty when the field is not there.</summary>
    public IReadOnlyList<T> List<T>(string field, ScalarFormat<T> format)
    {
        var values = new List<T>();
        foreach (var item in Items(field)) values.Add(Scalar(item, $"an item of {Name(field)}", format, default!));
        return values;
    }

    /// <summary>A list of sections; empty when the field is not there.</summary>
    public IReadOnlyList<T> Sections<T>(string field, Func<Section, T> read)
    {
        var values = new List<T>();
        var index = 0;
        foreach (var item in Items(field))
        {
            var path = $"{Path(field)}[{index++}]";
            if (item is YamlMapping mapping) values.Add(new Section(mapping, path, _errors).ReadAll(read));
            else _errors.Add(item.Position, $"expected fields in `{path}`, found {item.Kind}");
        }
        return values;
    }

    /// <summary>A section; null when the field is not there.</summary>
    public T? Subsection<T>(string field, Func<Section, T> read) where T : class
    {
        if (Look(field) is not { } entry) return null;
        if (entry.Value is YamlMapping mapping) return new Section(mapping, Path(field), _errors).ReadAll(read);
        _errors.Add(entry.Value.Position, $"expected fields in {Name(field)}, found {entry.Value.Kind}");
        return null;
    }

    public T RequiredSubsection<T>(string field, Func<Section, T> read) where T : class
    {
        if (Look(field) is null) _missing.Add(field);
        return Subsection(field, read)!;
    }

    /// <summary>A section whose field names are the user's own, each with a single value.</summary>
    public IReadOnlyDictionary<string, T> Map<T>(string field, ScalarFormat<string> key, ScalarFormat<T> format)
    {
        var values = new SortedDictionary<string, T>(StringComparer.Ordinal);
        foreach (var entry in Entries(field))
        {
            var name = Scalar(entry.Key, $"a name in {Name(field)}", key, "");
            values.TryAdd(name ?? "", Scalar(entry.Value, $"`{Path(field)}.{entry.Key.Text}`", format, default!));
        }
        return values;
    }

    /// <summary>A section whose field names are the user's own, each a section.</summary>
    public IReadOnlyDictionary<string, T> SectionMap<T>(string field, ScalarFormat<string> key, Func<Section, T> read)
    {
        var values = new SortedDictionary<string, T>(StringComparer.Ordinal);
        foreach (var entry in Entries(field))
        {
            var name = Scalar(entry.Key, $"a name in {Name(field)}", key, "");
            var path = $"{Path(field)}.{entry.Key.Text}";
            // Nothing after the name is a section without fields.
            var value = entry.Value is YamlScalar { IsNull: true } ? new YamlMapping(entry.Value.Position) : entry.Value;
            if (value is YamlMapping mapping) values.TryAdd(name ?? "", new Section(mapping, path, _errors).ReadAll(read));
            else _errors.Add(value.Position, $"expected fields in `{path}`, found {value.Kind}");
        }
        return values;
    }

    IReadOnlyList<YamlNode> Items(string field)
    {
        if (Look(field) is not { } entry) return [];
        if (entry.Value is YamlSequence sequence) return sequence.Items;
        _errors.Add(entry.Value.Position, $"expected a list in {Name(field)}, found {entry.Value.Kind}", "a list looks like `[a, b]`");
        return [];
    }

    IReadOnlyList<YamlEntry> Entries(string field)
    {
        if (Look(field) is not { } entry) return [];
        if (entry.Value is YamlMapping mapping) return mapping.Entries;
        _errors.Add(entry.Value.Position, $"expected names and values in {Name(field)}, found {entry.Value.Kind}");
        return [];
    }

    T Scalar<T>(YamlNode node, string name, ScalarFormat<T> format, T fallback)
    {
        if (node is not YamlScalar scalar || scalar.IsNull)
        {
            _errors.Add(node.Position, $"expected {format.Expected} in {name}, found {node.Kind}");
            return fallback;
        }
        // LIMIT: the longest single value is a certificate bundle.
        if (scalar.Text.Length <= 64 * 1024 && format.TryParse(scalar.Text, out var value)) return value;
        var found = format.IsSecret ? "something else" : DocumentErrors.Quote(scalar.Text);
        _errors.Add(scalar.Position, $"expected {format.Expected} in {name}, found {found}", format.Words is null ? null : Spelling.Hint(scalar.Text, format.Words));
        return fallback;
    }

    string Path(string field) => _path.Length == 0 ? field : $"{_path}.{field}";
}
