using System.Runtime.InteropServices;
using Talos.Linux.Native;

namespace Talos.Linux.Processes;

/// <summary>
/// Starts processes and collects what the kernel keeps of them when they end. PID 1 also collects every orphan of the machine.
/// </summary>
/// <remarks>No fork: managed code cannot run in a forked child. posix_spawn(3) makes the child and executes in one step.</remarks>
public sealed class Reaper
{
    // LIMIT: a waiting thread calls waitpid and completes a task; 128 KiB hold that many times over.
    const int StackBytes = 128 << 10;

    // waitid(2)
    const int AnyChild = 0, OneChild = 1, Exited = 4, LeaveWaitable = 0x01000000;

    readonly Lock _gate = new();
    readonly Dictionary<int, TaskCompletionSource<ExitStatus>> _children = [];
    readonly object _added = new();
    readonly bool _everything;
    int _addedCount;
    readonly Action<int, ExitStatus>? _orphanReaped;

    /// <summary>For an ordinary process: reaps what it started itself and nothing else.</summary>
    public Reaper()
    {
    }

    Reaper(Action<int, ExitStatus> orphanReaped)
    {
        _orphanReaped = orphanReaped;
        _everything = true;
        new Thread(ReapEverything, StackBytes) { IsBackground = true, Name = "reaper" }.Start();
    }

    /// <summary>For PID 1: reaps whatever process is handed to it.</summary>
    /// <param name="orphanReaped">Called on the reaper's thread for each process that was not started here.</param>
    public static Reaper ForEverything(Action<int, ExitStatus> orphanReaped) => new(orphanReaped);

    /// <summary>Starts a process whose standard output and error go to the returned child's <see cref="Child.Output"/>.</summary>
    /// <exception cref="LinuxException">The process could not be made or the executable not be run.</exception>
    public Child Start(ProcessStart start)
    {
        var ended = new TaskCompletionSource<ExitStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        Child child;
        // INVARIANT: a child is in the table before anyone can look for it, however soon it ends.
        lock (_gate)
        {
            child = Child.Spawn(start, this, ended.Task);
            _children.Add(child.ProcessId, ended);
        }
        if (_everything)
            AnnounceChild();
        else
            new Thread(() => ReapNext(OneChild, child.ProcessId), StackBytes) { IsBackground = true, Name = "wait " + child.ProcessId }.Start();
        return child;
    }

    void ReapEverything()
    {
        while (true)
        {
            // No children: only a start can bring one, since orphans come from children.
            if (!ReapNext(AnyChild, 0))
                AwaitChild();
        }
    }

    void AnnounceChild()
    {
        lock (_added)
        {
            _addedCount++;
            Monitor.Pulse(_added);
        }
    }

    void AwaitChild()
    {
        lock (_added)
        {
            while (_addedCount == 0)
                Monitor.Wait(_added);
            _addedCount = 0;
        }
    }

    bool ReapNext(int kind, int id)
    {
        if (!TryAwaitEnd(kind, id, out var pid))
            return false;
        ExitStatus status;
        TaskCompletionSource<ExitStatus>? ended;
        // INVARIANT: a process is reaped and leaves the table in one step, so a signal to a process in the table cannot hit another.
        lock (_gate)
        {
            status = Collect(pid);
            _children.Remove(pid, out ended);
        }
        if (ended is not null)
            ended.SetResult(status);
        else
            _orphanReaped?.Invoke(pid, status);
        return true;
    }

    internal void Send(int pid, Signal signal)
    {
        lock (_gate)
        {
            if (_children.ContainsKey(pid))
                LinuxException.ThrowIfFailed(Libc.kill(pid, (int)signal), $"signal process {pid}");
        }
    }

    static unsafe bool TryAwaitEnd(int kind, int id, out int pid)
    {
        // siginfo_t: 128 bytes; si_pid at 16.
        var information = stackalloc int[32];
        int result;
        do
            result = Libc.waitid(kind, id, information, Exited | LeaveWaitable);
        while (result < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted);
        pid = information[4];
        return result == 0;
    }

    static unsafe ExitStatus Collect(int pid)
    {
        var status = 0;
        LinuxException.ThrowIfFailed(Libc.waitpid(pid, &status, 0), $"reap process {pid}");
        return new ExitStatus(status);
    }
}
