using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Talos.Linux.Native;

namespace Talos.Linux.Files;

/// <summary>fdatasync(2).</summary>
public static class DataSync
{
    /// <summary>
    /// On return the file's content is on its disk, and its size where that changed; its times need not be. A journalling file system writes a second time, and
    /// waits a second time, for the times alone. Throws <see cref="LinuxException"/> when the content may not be there.
    /// </summary>
    public static void Flush(SafeFileHandle file)
    {
        while (Libc.fdatasync(file) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Errno.Interrupted)
                throw LinuxException.Last("fdatasync");
        }
    }
}
