using System.Globalization;
using System.Text;

namespace Talos.Linux.Supervision;

/// <summary>
/// One service's output: <c>ID.log</c>, and <c>ID.log.1</c> with what came before. Whole lines, each with its time in UTC.
/// Together they never take more than twice <see cref="FileBytesMaximum"/>.
/// </summary>
public sealed class ServiceLog : IDisposable
{
    // LIMIT: /run is memory; four services at twice 512 KiB are 4 MiB.
    public const int FileBytesMaximum = 512 << 10;
    // LIMIT: a longer line is cut into pieces of this size; bounds what a service can make its supervisor hold.
    internal const int LineBytesMaximum = 4 << 10;

    readonly Lock _gate = new();
    readonly TimeProvider _clock;
    readonly string _path;
    readonly Action<string>? _lineWritten;
    FileStream _file;
    int _lost;
    bool _closed;

    /// <param name="lineWritten">Called with each line, without its time; for the console.</param>
    public ServiceLog(string directory, string id, TimeProvider clock, Action<string>? lineWritten = null)
    {
        _path = Path.Combine(directory, id + ".log");
        _clock = clock;
        _lineWritten = lineWritten;
        _file = Open();
    }

    /// <summary>Writes one line; control characters become blanks, so that nobody can forge a second one.</summary>
    public void Write(ReadOnlySpan<byte> line)
    {
        var text = Encoding.UTF8.GetString(line.TrimEnd((byte)'\r'));
        text = string.Create(text.Length, text, (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsControl(source[i]) && source[i] != '\t' ? ' ' : source[i];
        });
        var stamped = Encoding.UTF8.GetBytes(_clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture) + " " + text + "\n");
        lock (_gate)
            Append(stamped);
        _lineWritten?.Invoke(text);
    }

    void Append(byte[] line)
    {
        if (_closed)
            return;
        try
        {
            if (_file.Length + line.Length > FileBytesMaximum)
                Rotate();
            if (_lost > 0)
                _file.Write(Encoding.UTF8.GetBytes($"(lost {_lost} lines: the log could not be written)\n"));
            _lost = 0;
            _file.Write(line);
        }
        catch (IOException)
        {
            // A full file system must stop neither the service nor its supervisor; the loss is told as soon as there is room.
            _lost++;
        }
    }

    /// <summary>Later lines are dropped: a process may outlive the interest in it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            _file.Dispose();
        }
    }

    void Rotate()
    {
        _file.Dispose();
        File.Move(_path, _path + ".1", overwrite: true);
        _file = Open();
    }

    FileStream Open() => new(_path, new FileStreamOptions
    {
        Mode = FileMode.Append,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite | FileShare.Delete,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        BufferSize = 0,
    });
}
