using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Talos.Api.Configuration;

/// <summary>Writes documents in the form that the reader reads: block sections, flow lists, text in quotes where it could be taken for something else.</summary>
sealed partial class YamlWriter
{
    readonly StringBuilder _text = new();
    int _indent;
    bool _dash;

    public override string ToString() => _text.ToString();

    public void Field(string name, string value)
    {
        if (!value.Contains('\n')) { Line($"{Key(name)}: {Quote(value)}"); return; }
        // RFC 7468 text and the like: a literal block keeps it readable.
        Line($"{Key(name)}: |");
        foreach (var line in value.TrimEnd('\n').Split('\n')) _text.Append(' ', _indent * 2 + 2).Append(line.TrimEnd('\r')).Append('\n');
    }

    public void Field(string name, bool value) => Line($"{Key(name)}: {(value ? "true" : "false")}");

    public void Field(string name, uint value) => Line(string.Create(CultureInfo.InvariantCulture, $"{Key(name)}: {value}"));

    public void Field(string name, DateTimeOffset value) => Line($"{Key(name)}: {value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture)}");

    /// <summary>Writes nothing for an empty list.</summary>
    public void List(string name, IEnumerable<string> values)
    {
        var items = values.Select(Quote).ToArray();
        if (items.Length > 0) Line($"{Key(name)}: [{string.Join(", ", items)}]");
    }

    public void Section(string name, Action<YamlWriter> write)
    {
        Line($"{Key(name)}:");
        _indent++;
        write(this);
        _indent--;
    }

    /// <summary>Names of the user's own with their values; writes nothing when there are none.</summary>
    public void Map(string name, IReadOnlyDictionary<string, string> values)
    {
        if (values.Count > 0) Section(name, w => { foreach (var (key, value) in values) w.Field(key, value); });
    }

    /// <summary>Writes nothing for an empty list.</summary>
    public void Sections<T>(string name, IReadOnlyList<T> items, Action<T, YamlWriter> write)
    {
        if (items.Count == 0) return;
        Line($"{Key(name)}:");
        _indent += 2;
        foreach (var item in items)
        {
            _dash = true;
            write(item, this);
        }
        _indent -= 2;
    }

    void Line(string content)
    {
        _text.Append(' ', _indent * 2 - (_dash ? 2 : 0));
        if (_dash) _text.Append("- ");
        _dash = false;
        _text.Append(content).Append('\n');
    }

    static string Key(string name) => Quote(name);

    static string Quote(string value)
    {
        if (Plain().IsMatch(value) && !Reserved().IsMatch(value)) return value;
        var quoted = new StringBuilder("\"");
        foreach (var c in value)
        {
            if (c is '"' or '\\') quoted.Append('\\').Append(c);
            // Of these YAML 1.1 takes some for the end of a line (yaml.org/spec/1.1 §4.1.4); U+0085 is among the control characters.
            else if (char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF') quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }

    [GeneratedRegex(@"\A[A-Za-z0-9/._](?:[A-Za-z0-9/._+=@-]|:(?=[A-Za-z0-9]))*\z")]
    private static partial Regex Plain();

    // What YAML takes for something else than text: words, numbers, times.
    [GeneratedRegex(@"\A(?:true|false|null|yes|no|on|off|y|n|~|[-+.]?[0-9][0-9_.:eExXoO+-]*|\.(?:inf|nan))\z", RegexOptions.IgnoreCase)]
    private static partial Regex Reserved();
}
