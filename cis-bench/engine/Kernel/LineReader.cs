namespace Talos.Checks.Kernel;

/// <summary>The lines of a text, ended by LF, CR LF or CR; without copying them.</summary>
ref struct LineReader(ReadOnlySpan<char> text)
{
    ReadOnlySpan<char> _rest = text;

    public ReadOnlySpan<char> Current { get; private set; }

    public readonly LineReader GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_rest.IsEmpty) return false;
        var end = _rest.IndexOfAny('\n', '\r');
        if (end < 0)
        {
            Current = _rest;
            _rest = [];
            return true;
        }
        Current = _rest[..end];
        var next = _rest[end] == '\r' && end + 1 < _rest.Length && _rest[end + 1] == '\n' ? end + 2 : end + 1;
        _rest = _rest[next..];
        return true;
    }
}
