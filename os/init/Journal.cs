using System.Text;
using Microsoft.Win32.SafeHandles;
using Talos.Linux.Supervision;

namespace Talos.Init;

/// <summary>One line an event, on the console; init's own also in its log.</summary>
sealed class Journal : IDisposable
{
    readonly Lock _gate = new();
    // Standard output of process 1 is /dev/console.
    readonly FileStream _console = new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);

    ServiceLog? _log;

    /// <summary>From now on init's own lines are kept too.</summary>
    internal void KeepIn(ServiceLog log) => _log = log;

    internal void Write(string sentence)
    {
        Write("init", sentence);
        _log?.Write(Encoding.UTF8.GetBytes(sentence));
    }

    internal void Write(string source, string line)
    {
        var bytes = Encoding.UTF8.GetBytes($"{source}: {line}\n");
        lock (_gate)
        {
            try
            {
                _console.Write(bytes);
            }
            catch (IOException)
            {
                // A machine without a console is still a machine; services' lines are in their logs as well.
            }
        }
    }

    public void Dispose() => _console.Dispose();
}
