using Microsoft.Win32.SafeHandles;
using Talos.Linux.Native;

namespace Talos.Linux.Files;

/// <summary>
/// What the kernel is told about the pages of a file that is written once and rarely read. Both are advice: where a file system does not take it, its writer is
/// slower and as safe.
/// </summary>
public static class PageCache
{
    // sync_file_range(2), posix_fadvise(2)
    const uint SyncFileRangeWrite = 2;
    const int FadviseDontNeed = 4;

    /// <summary>Begins to write out what is dirty and does not wait for it. Nothing is durable before the file is synced.</summary>
    public static void BeginWriteback(SafeFileHandle file) => _ = Libc.sync_file_range(file, 0, 0, SyncFileRangeWrite);

    /// <summary>Gives up the clean pages of the file. Who reads it again reads the disk.</summary>
    public static void Drop(SafeFileHandle file) => _ = Libc.posix_fadvise(file, 0, 0, FadviseDontNeed);
}
