using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Talos.Audit;

// What the kernel is told about files that are written once and rarely read. Both are advice: where a file system does not take it, the log is slower
// and as safe.
static partial class PageCache
{
    const string Library = "libc";

    // <linux/fs.h>, <fcntl.h>
    const uint SyncFileRangeWrite = 2;
    const int FadviseDontNeed = 4;

    // Begins to write out what is dirty and does not wait for it.
    internal static void BeginWriteback(SafeFileHandle file) => _ = sync_file_range(file, 0, 0, SyncFileRangeWrite);

    // The pages of a file that is on disk are free for the next one: a log must not push out of memory what the node works with.
    internal static void Drop(SafeFileHandle file) => _ = posix_fadvise(file, 0, 0, FadviseDontNeed);

    [LibraryImport(Library)]
    private static partial int sync_file_range(SafeFileHandle file, long offset, long bytes, uint flags);

    [LibraryImport(Library)]
    private static partial int posix_fadvise(SafeFileHandle file, long offset, long bytes, int advice);
}
