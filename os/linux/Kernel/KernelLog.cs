using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Talos.Linux.Native;

namespace Talos.Linux.Kernel;

/// <summary>The kernel's ring buffer from its oldest record on. Documentation/ABI/testing/dev-kmsg.</summary>
public sealed unsafe class KernelLog : IDisposable
{
    const int NonBlocking = 0x800, CloseOnExec = 0x80000;
    const short Readable = 1;
    // LIMIT: PRINTK_MESSAGE_MAX, the kernel's own; a shorter buffer would lose records.
    const int RecordBytesMaximum = 8 << 10;

    readonly SafeFileHandle _device;
    readonly byte[] _buffer = new byte[RecordBytesMaximum];

    /// <exception cref="LinuxException">Not permitted, or no such device.</exception>
    public KernelLog(string path = "/dev/kmsg")
    {
        var descriptor = Libc.open(path, NonBlocking | CloseOnExec, 0);
        LinuxException.ThrowIfFailed(descriptor, $"open `{path}`");
        _device = new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>The next record as a line without its end, or null when there is none yet.</summary>
    public string? TryRead()
    {
        while (true)
        {
            nint length;
            fixed (byte* p = _buffer)
                length = Libc.read(Descriptor, p, (nuint)_buffer.Length);
            if (length > 0 && Format(Encoding.UTF8.GetString(_buffer, 0, (int)length)) is { } line)
                return line;
            if (length < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                // EPIPE: records were overwritten before they were read; the next read gives the oldest there is.
                if (error is not (Errno.BrokenPipe or Errno.Interrupted))
                    return error == Errno.Again ? null : throw new LinuxException("read the kernel log", error);
            }
            else if (length == 0)
                return null;
        }
    }

    /// <summary>Waits for a record; true if there is one.</summary>
    public bool Wait(TimeSpan timeout)
    {
        var entry = new Libc.PollEntry { Descriptor = Descriptor, Events = Readable };
        return Libc.poll(&entry, 1, (int)timeout.TotalMilliseconds) > 0;
    }

    public void Dispose() => _device.Dispose();

    /// <summary><c>PRIORITY,SEQUENCE,MICROSECONDS,FLAGS[,…];TEXT</c>, then lines of the form <c> KEY=VALUE</c>; null for anything else.</summary>
    internal static string? Format(string record)
    {
        var text = record.IndexOf(';', StringComparison.Ordinal);
        if (text < 0)
            return null;
        var fields = record[..text].Split(',');
        if (fields.Length < 4 || !ulong.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds))
            return null;
        var end = record.IndexOf('\n', text);
        var message = end < 0 ? record[(text + 1)..] : record[(text + 1)..end];
        return string.Create(CultureInfo.InvariantCulture, $"[{microseconds / 1_000_000,5}.{microseconds % 1_000_000:000000}] {message}");
    }

    int Descriptor => (int)_device.DangerousGetHandle();
}
