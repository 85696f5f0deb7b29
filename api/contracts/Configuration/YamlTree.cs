using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Talos.Api.Configuration;

/// <summary>
/// Reads the part of YAML 1.2 that a configuration needs: one document of mappings, sequences and scalars. Anchors, aliases, tags,
/// directives and keys that are no scalars are refused, so that what is written is what is meant.
/// </summary>
sealed class YamlTree
{
    // LIMIT: a machine configuration is a few kilobytes; certificates in it are a few more. In characters.
    internal const int MaxLength = 256 * 1024;

    // LIMIT: the deepest field of any document is at depth 5.
    internal const int MaxDepth = 16;

    // LIMIT: bounds what a document of many tiny nodes costs.
    internal const int MaxNodes = 20_000;

    readonly IParser _events;
    readonly DocumentErrors _errors;
    int _nodes;

    YamlTree(IParser events, DocumentErrors errors) => (_events, _errors) = (events, errors);

    /// <summary>The document's root, or null with at least one error.</summary>
    public static YamlNode? Read(string text, DocumentErrors errors)
    {
        if (text.Length > MaxLength)
        {
            errors.Add(new Position(1, 1), $"the document has {text.Length} characters, and {MaxLength} are allowed");
            return null;
        }
        var events = new Parser(new StringReader(text));
        try
        {
            return new YamlTree(events, errors).ReadDocument();
        }
        catch (YamlException e)
        {
            errors.Add(At(e.Start), $"this is no YAML: {Reword(e.Message)}", "check indentation, quotes and colons above this place");
            return null;
        }
        catch (TreeException e)
        {
            errors.Add(e.Position, e.Message, e.Hint);
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            // The library's scanner has states of its own that malformed text can reach; for us such text is no YAML either.
            errors.Add(At(events.Current?.End ?? Mark.Empty), "this is no YAML: the text cannot be read from here on", "check quotes, brackets and colons below this place");
            return null;
        }
    }

    YamlNode ReadDocument()
    {
        Next<StreamStart>();
        if (Next() is not DocumentStart start) throw new TreeException(new Position(1, 1), "the document is empty");
        if (start.Version is not null || start.Tags is { Count: > 0 } && !start.IsImplicit && start.Tags.Any(t => t.Handle != "!" && t.Handle != "!!"))
            throw new TreeException(At(start.Start), "directives are not allowed");
        var root = ReadNode(Next(), 0);
        Next<DocumentEnd>();
        if (Next() is not StreamEnd) throw new TreeException(At(_events.Current!.Start), "a second document follows", "one file holds one document");
        return root;
    }

    YamlNode ReadNode(ParsingEvent head, int depth)
    {
        var position = At(head.Start);
        if (++_nodes > MaxNodes) throw new TreeException(position, $"the document has more than {MaxNodes} values");
        if (depth > MaxDepth) throw new TreeException(position, $"sections are nested deeper than {MaxDepth}");
        if (head is AnchorAlias) throw new TreeException(position, "aliases are not allowed", "write the value out");
        if (head is NodeEvent { Anchor.IsEmpty: false }) throw new TreeException(position, "anchors are not allowed", "write the value out where it is used");
        // The tag `!` by itself is what a quoted scalar gets.
        if (head is NodeEvent { Tag.IsEmpty: false } tagged && !tagged.Tag.IsNonSpecific) throw new TreeException(position, "tags are not allowed");
        return head switch
        {
            Scalar scalar => new YamlScalar(position, scalar.Value, scalar.Style == ScalarStyle.Plain),
            SequenceStart => ReadSequence(position, depth),
            MappingStart => ReadMapping(position, depth),
            _ => throw new TreeException(position, "a value is missing here"),
        };
    }

    YamlSequence ReadSequence(Position position, int depth)
    {
        var sequence = new YamlSequence(position);
        for (var head = Next(); head is not SequenceEnd; head = Next()) sequence.Items.Add(ReadNode(head, depth + 1));
        return sequence;
    }

    YamlMapping ReadMapping(Position position, int depth)
    {
        var mapping = new YamlMapping(position);
        var seen = new Dictionary<string, Position>(StringComparer.Ordinal);
        for (var head = Next(); head is not MappingEnd; head = Next())
        {
            if (ReadNode(head, depth + 1) is not YamlScalar key) throw new TreeException(At(head.Start), "a field's name must be a single word");
            var value = ReadNode(Next(), depth + 1);
            if (seen.TryGetValue(key.Text, out var first))
            {
                _errors.Add(key.Position, $"field {DocumentErrors.Quote(key.Text)} is given twice", $"the first is on line {first.Line}");
                continue;
            }
            seen.Add(key.Text, key.Position);
            mapping.Entries.Add(new YamlEntry(key, value));
        }
        return mapping;
    }

    ParsingEvent Next()
    {
        var last = _events.Current is { } current ? At(current.End) : new Position(1, 1);
        try
        {
            return _events.MoveNext() ? _events.Current! : throw new TreeException(last, "the document ends too early");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // NOTE: for some malformed documents the scanner fails an assertion of its own instead of saying where.
            throw new TreeException(last, "this is no YAML: not well formed after this place", "check indentation, quotes and colons here");
        }
    }

    void Next<T>() where T : ParsingEvent
    {
        if (Next() is not T) throw new TreeException(At(_events.Current!.Start), "the document is not well formed");
    }

    static Position At(Mark mark) => new((int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));

    static string Reword(string message)
    {
        var sentence = message.TrimEnd('.', ' ');
        return sentence.Length == 0 ? "not well formed" : char.ToLowerInvariant(sentence[0]) + sentence[1..];
    }

    sealed class TreeException(Position position, string message, string? hint = null) : Exception(message)
    {
        public Position Position { get; } = position;
        public string? Hint { get; } = hint;
    }
}
