using System.Runtime.InteropServices;

namespace Talos.Linux;

public readonly partial record struct FileStatus
{
    const int ErrNoData = 61;
    const int ErrNotSupported = 95;

    /// <summary>
    /// Whether a file has an extended attribute (`security.capability`, …); a symbolic link is not followed. Returns zero or the errno;
    /// a file system without such attributes has none.
    /// </summary>
    public static unsafe int TryHasAttribute(string path, string attribute, out bool present)
    {
        present = false;
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 9 : 192;
        fixed (byte* file = System.Text.Encoding.UTF8.GetBytes(path + '\0'))
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(attribute + '\0'))
        {
            // SAFETY: both strings are zero-terminated and pinned; size zero asks for the length only, nothing is written.
            present = GetAttribute(number, file, name, null, 0) >= 0;
        }
        if (present) return 0;
        var errno = Marshal.GetLastPInvokeError();
        return errno is ErrNoData or ErrNotSupported ? 0 : errno;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial long GetAttribute(long number, byte* path, byte* name, byte* value, nuint size);
}
