using System.Text;

namespace Talos.Audit;

/// <summary>
/// Appends lines to a file. A commit syncs it; a line that a crash cut is removed at the next start. With a limit, a file that has reached
/// it is moved to `NAME.1` at a commit, in place of the one that was there.
/// </summary>
public sealed class FileSink : AuditSink
{
    readonly AuditFormat _format;
    readonly long _maxBytes;
    FileStream _file;
    long _committed;

    /// <summary>Opens or makes the file.</summary>
    public FileSink(string path, AuditFormat format, long maxBytes = long.MaxValue)
    {
        _format = format;
        _maxBytes = maxBytes;
        Target = path;
        _file = Open();
        CutAtLastLine();
    }

    FileStream Open() => new(Target, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);

    /// <inheritdoc />
    public override string Target { get; }

    void CutAtLastLine()
    {
        byte[] block = new byte[64 * 1024];
        long end = _file.Length;
        while (end > 0)
        {
            int size = (int)Math.Min(block.Length, end);
            _file.Position = end - size;
            _file.ReadExactly(block, 0, size);
            int newline = Array.LastIndexOf(block, (byte)'\n', size - 1, size);
            end -= newline < 0 ? size : size - newline - 1;
            if (newline >= 0) break;
        }
        _committed = end;
        Reset();
    }

    /// <inheritdoc />
    public override async ValueTask SendAsync(IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken)
    {
        StringBuilder lines = new(records.Count * 512);
        foreach (AuditRecord record in records) lines.Append(AuditFormats.Render(_format, record)).Append('\n');
        await _file.WriteAsync(Encoding.UTF8.GetBytes(lines.ToString()), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public override ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        _file.Flush(flushToDisk: true);
        _committed = _file.Position;
        if (_committed >= _maxBytes) Rotate();
        return ValueTask.CompletedTask;
    }

    void Rotate()
    {
        File.Move(Target, Target + ".1", overwrite: true);
        _file.Dispose();
        _file = Open();
        _committed = 0;
    }

    /// <inheritdoc />
    public override void Reset()
    {
        _file.SetLength(_committed);
        _file.Position = _committed;
    }

    /// <inheritdoc />
    public override ValueTask DisposeAsync() => _file.DisposeAsync();
}
