using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Talos.Linux.Native;

namespace Talos.Linux.Supervision;

/// <summary>Moves one process's output into its service's log, line by line, on a thread of its own.</summary>
static unsafe class OutputPump
{
    // LIMIT: one line buffer and a write to a file.
    const int StackBytes = 256 << 10;

    internal static Task Start(SafeFileHandle output, ServiceLog log, string name)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            Run(output, log);
            done.SetResult();
        }, StackBytes)
        { IsBackground = true, Name = "output " + name }.Start();
        return done.Task;
    }

    static void Run(SafeFileHandle output, ServiceLog log)
    {
        using var owned = output;
        var descriptor = (int)owned.DangerousGetHandle();
        var buffer = new byte[ServiceLog.LineBytesMaximum];
        var length = 0;
        while (true)
        {
            nint read;
            fixed (byte* p = buffer)
                read = Libc.read(descriptor, p + length, (nuint)(buffer.Length - length));
            if (read < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted)
                continue;
            if (read <= 0)
                break;
            length += (int)read;
            length = WriteLines(buffer, length, log);
        }
        if (length > 0)
            log.Write(buffer.AsSpan(0, length));
    }

    /// <returns>How many bytes at the buffer's start are the beginning of a line still to come.</returns>
    static int WriteLines(byte[] buffer, int length, ServiceLog log)
    {
        var start = 0;
        int end;
        while ((end = buffer.AsSpan(start, length - start).IndexOf((byte)'\n')) >= 0)
        {
            log.Write(buffer.AsSpan(start, end));
            start += end + 1;
        }
        if (start == 0 && length == buffer.Length)
        {
            log.Write(buffer);
            return 0;
        }
        buffer.AsSpan(start, length - start).CopyTo(buffer);
        return length - start;
    }
}
