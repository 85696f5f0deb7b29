namespace Talos.Api.Configuration;

/// <summary>A node of a document, with the place where it begins.</summary>
abstract class YamlNode(Position position)
{
    public Position Position { get; } = position;

    /// <summary>What a person would call it, for errors.</summary>
    public abstract string Kind { get; }
}

readonly record struct Position(int Line, int Column);

sealed class YamlScalar(Position position, string text, bool isPlain) : YamlNode(position)
{
    public string Text { get; } = text;

    /// <summary>Written without quotes, so that <c>null</c> and <c>true</c> are not text.</summary>
    public bool IsPlain { get; } = isPlain;

    public bool IsNull => IsPlain && Text is ("" or "~" or "null");

    public override string Kind => IsNull ? "nothing" : "a single value";
}

sealed class YamlSequence(Position position) : YamlNode(position)
{
    public List<YamlNode> Items { get; } = [];

    public override string Kind => "a list";
}

sealed class YamlMapping(Position position) : YamlNode(position)
{
    public List<YamlEntry> Entries { get; } = [];

    public override string Kind => "a section";
}

readonly record struct YamlEntry(YamlScalar Key, YamlNode Value);
