using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Talos.Init;

/// <summary>One line an event, on the console.</summary>
sealed class Journal : IDisposable
{
    readonly Lock _gate = new();
    // Standard output of process 1 is /dev/console.
    readonly FileStream _console = new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);

    internal void Write(string sentence) => Write("init", sentence);

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
