namespace Talos.Osctl.Output;

/// <summary>Columns under upper-case headings, three blanks between them, nothing after the last.</summary>
/// <param name="columns">Headings; one that starts with `+` is shown only in wide output.</param>
sealed class Table(bool wide, params string[] columns)
{
    readonly List<string[]> _rows = [[.. columns.Select(c => c.TrimStart('+'))]];
    readonly int[] _shown = [.. Enumerable.Range(0, columns.Length).Where(i => wide || !columns[i].StartsWith('+'))];

    public int Count => _rows.Count - 1;

    public void Add(params string[] cells)
    {
        if (cells.Length != columns.Length) throw new ArgumentException($"{cells.Length} cells for {columns.Length} columns", nameof(cells));
        _rows.Add([.. cells.Select(OneLine)]);
    }

    public void Write(TextWriter writer)
    {
        var widths = _shown.Select(i => _rows.Max(r => r[i].Length)).ToArray();
        foreach (var row in _rows)
        {
            var line = string.Concat(_shown.Select((column, position) => row[column].PadRight(widths[position] + 3)));
            writer.WriteLine(line.TrimEnd());
        }
    }

    // What a node says must not move the cursor or colour the terminal.
    static string OneLine(string cell) => cell.Length == 0 ? "-" : string.Concat(cell.Select(c => char.IsControl(c) ? ' ' : c));
}
