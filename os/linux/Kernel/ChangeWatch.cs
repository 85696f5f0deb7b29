using System.Runtime.InteropServices;
using Talos.Linux.Native;

namespace Talos.Linux.Kernel;

/// <summary>
/// Has the kernel tell of changes: of this mount namespace's mounts (proc_pid_mounts(5): the file becomes exceptional), and of entries of
/// directories that appear, vanish or get another mode or owner (inotify(7)).
/// </summary>
public sealed unsafe class ChangeWatch : IDisposable
{
    const int CloseOnExec = 0x80000, NonBlocking = 0x800;

    // poll(2)
    const short Readable = 1, Exceptional = 2, Error = 8;

    // inotify(7): IN_ATTRIB, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF; IN_ONLYDIR
    const uint EntryChanges = 0x4 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800, OnlyDirectories = 0x01000000;

    // LIMIT: an entry is 16 bytes and a name; what does not fit is read the next time.
    const int BufferBytes = 4_096;

    readonly Action _changed;
    readonly int _mounts, _entries, _stop, _stopEnd;
    readonly Thread _thread;

    /// <param name="directories">Those that do not exist are left out: nothing tells of them.</param>
    /// <param name="changed">Called on a thread of the watch, once or more for each change; must not throw.</param>
    /// <exception cref="LinuxException">The kernel does not let us watch.</exception>
    public ChangeWatch(IEnumerable<string> directories, Action changed)
    {
        _changed = changed;
        _mounts = Libc.open("/proc/self/mountinfo", CloseOnExec, 0);
        LinuxException.ThrowIfFailed(_mounts, "open `/proc/self/mountinfo`");
        _entries = Libc.inotify_init1(CloseOnExec | NonBlocking);
        var failure = _entries < 0 ? LinuxException.Last("watch directories") : null;
        var ends = stackalloc int[2];
        if (failure is null && Libc.pipe2(ends, CloseOnExec) < 0) failure = LinuxException.Last("make a pipe");
        if (failure is not null)
        {
            Libc.close(_mounts);
            if (_entries >= 0) Libc.close(_entries);
            throw failure;
        }
        (_stop, _stopEnd) = (ends[0], ends[1]);
        foreach (var directory in directories) Libc.inotify_add_watch(_entries, directory, EntryChanges | OnlyDirectories);
        _thread = new Thread(Watch, maxStackSize: 256 << 10) { IsBackground = true, Name = "change watch" };
        _thread.Start();
    }

    public void Dispose()
    {
        // The other end becomes ready.
        Libc.close(_stopEnd);
        _thread.Join();
        Libc.close(_stop);
        Libc.close(_entries);
        Libc.close(_mounts);
    }

    void Watch()
    {
        const int Count = 3;
        var watched = stackalloc Libc.PollEntry[Count];
        while (true)
        {
            watched[0] = new() { Descriptor = _stop, Events = Readable };
            watched[1] = new() { Descriptor = _mounts, Events = Exceptional };
            watched[2] = new() { Descriptor = _entries, Events = Readable };
            if (Libc.poll(watched, Count, -1) < 0)
            {
                if (Marshal.GetLastPInvokeError() == Errno.Interrupted) continue;
                return;
            }
            if (watched[0].Returned != 0) return;
            if ((watched[2].Returned & Readable) != 0) Drain();
            if ((watched[1].Returned & (Exceptional | Error)) != 0 || watched[2].Returned != 0) _changed();
        }
    }

    // Which entry it was does not matter: whoever is told looks at all of them.
    void Drain()
    {
        var buffer = stackalloc byte[BufferBytes];
        while (Libc.read(_entries, buffer, BufferBytes) > 0)
        {
        }
    }
}
