namespace Talos.Api.Configuration;

/// <summary>
/// Reads the fields of one mapping. Each field is named once, by the call that reads it; <see cref="Close"/> then reports what nobody
/// asked for. Reading goes on after an error, so that one pass finds them all; what is built from a document with errors is discarded.
/// </summary>
sealed partial class Section
{
    readonly YamlMapping _mapping;
    readonly string _path;
    readonly DocumentErrors _errors;
    readonly List<string> _known = [];
    readonly List<string> _missing = [];

    Section(YamlMapping mapping, string path, DocumentErrors errors) => (_mapping, _path, _errors) = (mapping, path, errors);

    /// <summary>Reads a whole document.</summary>
    public static ConfigurationResult<T> ReadDocument<T>(string text, string file, Func<Section, T> read) where T : class
    {
        var errors = new DocumentErrors(file);
        T? value = null;
        switch (YamlTree.Read(text, errors))
        {
            case null: break;
            case YamlMapping mapping: value = new Section(mapping, "", errors).ReadAll(read); break;
            case var other: errors.Add(other.Position, $"expected fields, found {other.Kind}", "a document looks like `version: v1alpha1`"); break;
        }
        return errors.Any || value is null ? new ConfigurationResult<T>(errors.InOrder()) : new ConfigurationResult<T>(value);
    }

    /// <summary>Reports a rule between several fields, at a field where it is there and at the section where it is not.</summary>
    public void Fail(string field, string message, string? hint = null) => _errors.Add(Position(field), message, hint);

    public bool Has(string field) => Find(field) is { Value: not YamlScalar { IsNull: true } };

    /// <summary>The field's full name as errors give it.</summary>
    public string Name(string field) => _path.Length == 0 ? $"`{field}`" : $"`{_path}.{field}`";

    T ReadAll<T>(Func<Section, T> read)
    {
        var value = read(this);
        Close();
        return value;
    }

    void Close()
    {
        foreach (var entry in _mapping.Entries)
        {
            if (_known.Contains(entry.Key.Text)) continue;
            var meant = Spelling.Nearest(entry.Key.Text, _known.Where(k => Find(k) is null));
            // A misspelt field is one mistake, not two.
            if (meant is not null) _missing.Remove(meant);
            var hint = meant is null ? $"the fields here are {Words(_known)}" : Spelling.Question(meant);
            _errors.Add(entry.Key.Position, $"unknown field {DocumentErrors.Quote(entry.Key.Text)}", hint);
        }
        foreach (var field in _missing) _errors.Add(Position(field), $"missing field {Name(field)}");
    }

    Position Position(string field) => Find(field)?.Key.Position ?? _mapping.Position;

    // A field that is there but holds nothing counts as not given: `token:` alone is how people leave something out.
    YamlEntry? Look(string field)
    {
        if (!_known.Contains(field)) _known.Add(field);
        return Find(field) is { Value: not YamlScalar { IsNull: true } } entry ? entry : null;
    }

    YamlEntry? Find(string field)
    {
        foreach (var entry in _mapping.Entries)
        {
            if (entry.Key.Text == field) return entry;
        }
        return null;
    }

    static string Words(IEnumerable<string> words) => string.Join(", ", words.Select(w => $"`{w}`"));
}
