using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Talos.Checks.Yaml;

/// <summary>
/// Reads YAML into a tree through the library's event parser: nothing is bound to types, so nothing needs reflection.
/// Aliases, anchors and duplicate keys are refused.
/// </summary>
static class YamlText
{
    // LIMIT: a catalogue of 400 checks is 160 kB; a kubelet configuration 10 kB. Twenty times the largest leaves room and bounds memory.
    public const int MaxLength = 4 << 20;

    // LIMIT: rules nest any/all; the deepest shipped catalogue uses 8 levels.
    public const int MaxDepth = 40;

    // LIMIT: a node costs about 100 bytes.
    public const int MaxNodes = 200_000;

    /// <summary>The documents of a YAML stream, empty ones left out.</summary>
    public static Parsed<IReadOnlyList<YamlNode>> Parse(string text, string file)
    {
        if (text.Length > MaxLength)
            return Refuse(new SourceError(file, 1, 1, $"the file has {text.Length} characters, more than {MaxLength}"));
        var parser = new Parser(new StringReader(text));
        try
        {
            return new TreeReader(parser, file).ReadAll();
        }
        catch (YamlException e)
        {
            return Refuse(new SourceError(file, (int)e.Start.Line, (int)e.Start.Column, $"not YAML: {FirstLine(e.Message)}"));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            // The library's scanner has states of its own that malformed text can reach; for us such text is no YAML either.
            var at = parser.Current?.End;
            return Refuse(new SourceError(file, (int)(at?.Line ?? 1), (int)(at?.Column ?? 1), "not YAML: the text cannot be read from here on"));
        }
    }

    /// <summary>The one document of a file that holds exactly one.</summary>
    public static Parsed<YamlNode> ParseOne(string text, string file)
    {
        var parsed = Parse(text, file);
        if (parsed.Value is not { } documents) return new(parsed.Errors);
        return documents.Count == 1
            ? new(documents[0])
            : new([new SourceError(file, 1, 1, $"the file holds {documents.Count} documents where one is expected")]);
    }

    static Parsed<IReadOnlyList<YamlNode>> Refuse(SourceError error) => new([error]);

    static string FirstLine(string message)
    {
        var end = message.AsSpan().IndexOfAny('\r', '\n');
        var line = end < 0 ? message : message[..end];
        return line.TrimEnd('.');
    }

    sealed class TreeReader(IParser parser, string file)
    {
        int _nodes;

        public Parsed<IReadOnlyList<YamlNode>> ReadAll()
        {
            var documents = new List<YamlNode>();
            while (parser.MoveNext())
            {
                if (parser.Current is not (Scalar or MappingStart or SequenceStart or AnchorAlias)) continue;
                var error = TryRead(0, out var node);
                if (error is not null) return Refuse(error);
                if (node is not YamlScalar { IsNull: true }) documents.Add(node!);
            }
            return new(documents);
        }

        SourceError? TryRead(int depth, out YamlNode? node)
        {
            node = null;
            var current = parser.Current!;
            if (depth > MaxDepth) return At(current, $"nested deeper than {MaxDepth} levels");
            if (++_nodes > MaxNodes) return At(current, $"more than {MaxNodes} values");
            if (current is AnchorAlias) return At(current, "aliases are not accepted");
            if (current is NodeEvent { Anchor.IsEmpty: false }) return At(current, "anchors are not accepted");
            if (current is Scalar scalar)
            {
                node = ScalarOf(scalar);
                return null;
            }
            return current is MappingStart ? TryReadMap(depth, current, out node) : TryReadList(depth, current, out node);
        }

        SourceError? TryReadMap(int depth, ParsingEvent start, out YamlNode? node)
        {
            node = null;
            var entries = new List<YamlEntry>();
            var seen = new HashSet<string>(StringComparer.Ordinal);
            while (parser.MoveNext() && parser.Current is not MappingEnd)
            {
                if (parser.Current is not Scalar { Anchor.IsEmpty: true } key) return At(parser.Current!, "a key must be a plain value");
                var name = ScalarOf(key);
                if (!seen.Add(name.Value)) return At(key, $"`{name.Value}` is given twice");
                parser.MoveNext();
                if (TryRead(depth + 1, out var value) is { } error) return error;
                entries.Add(new(name, value!));
            }
            node = new YamlMap(entries, Line(start), Column(start));
            return null;
        }

        SourceError? TryReadList(int depth, ParsingEvent start, out YamlNode? node)
        {
            node = null;
            var items = new List<YamlNode>();
            while (parser.MoveNext() && parser.Current is not SequenceEnd)
            {
                if (TryRead(depth + 1, out var item) is { } error) return error;
                items.Add(item!);
            }
            node = new YamlList(items, Line(start), Column(start));
            return null;
        }

        static YamlScalar ScalarOf(Scalar s) =>
            new(s.Value, s.Style == ScalarStyle.Plain, s.Start.Line == s.End.Line, Line(s), Column(s));

        SourceError At(ParsingEvent e, string message) => new(file, Line(e), Column(e), message);

        static int Line(ParsingEvent e) => (int)e.Start.Line;

        static int Column(ParsingEvent e) => (int)e.Start.Column;
    }
}
