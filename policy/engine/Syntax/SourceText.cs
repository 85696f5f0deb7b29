namespace Talos.Policy;

/// <summary>One module's text, with line starts for positions.</summary>
sealed class SourceText
{
    readonly int[] _lineStarts;

    public SourceText(string file, string text)
    {
        File = file;
        Text = text;
        var starts = new List<int> { 0 };
        for (int i = 0; i < text.Length; i++)
            if (text[i] == '\n') starts.Add(i + 1);
        _lineStarts = [.. starts];
    }

    public static SourceText None { get; } = new("", "");

    public string File { get; }
    public string Text { get; }

    public (int Line, int Column) Locate(int offset)
    {
        int line = Array.BinarySearch(_lineStarts, offset);
        if (line < 0) line = ~line - 1;
        return (line + 1, offset - _lineStarts[line] + 1);
    }
}

/// <summary>A place in a module; line and column are computed only when someone asks.</summary>
readonly record struct Position(SourceText Source, int Offset) : IComparable<Position>
{
    public int CompareTo(Position other) => Offset.CompareTo(other.Offset);

    public static Position None => new(SourceText.None, 0);

    public int Line => Source.Locate(Offset).Line;
    public int Column => Source.Locate(Offset).Column;

    public PolicyError Error(string code, string message, string? hint = null)
    {
        (int line, int column) = Source.Locate(Offset);
        return new PolicyError(code, Source.File, line, column, message, hint);
    }

    public override string ToString() => $"{Source.File}:{Line}:{Column}";
}
