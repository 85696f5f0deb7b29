using Microsoft.Win32.SafeHandles;
using Talos.Linux.Native;

namespace Talos.Linux.Processes;

/// <summary>Signals of signal(7) that processes here are sent.</summary>
public enum Signal
{
    None = 0,
    Kill = 9,
    Terminate = 15,
}

/// <summary>A process started by <see cref="Reaper"/>.</summary>
public sealed unsafe class Child
{
    const int ReadWrite = 2, CloseOnExec = 0x80000, FirstUnnamedDescriptor = 3, CloseRangeOnExec = 4;

    readonly Reaper _reaper;

    Child(int processId, SafeFileHandle output, Reaper reaper, Task<ExitStatus> ended)
    {
        _reaper = reaper;
        ProcessId = processId;
        Output = output;
        Ended = ended;
    }

    public int ProcessId { get; }

    /// <summary>The reading end of the pipe that the process's standard output and error write to. The caller disposes it.</summary>
    public SafeFileHandle Output { get; }

    /// <summary>Completes when the process has ended and was reaped; never fails.</summary>
    public Task<ExitStatus> Ended { get; }

    /// <summary>Sends a signal, unless the process has ended.</summary>
    public void Send(Signal signal) => _reaper.Send(ProcessId, signal);

    internal static Child Spawn(ProcessStart start, Reaper reaper, Task<ExitStatus> ended)
    {
        // The runtime opens everything close-on-exec; what its own parent left open it does not know.
        LinuxException.ThrowIfFailed(Libc.Syscall(SystemCall.CloseRange, FirstUnnamedDescriptor, int.MaxValue, CloseRangeOnExec), "close descriptors on exec");
        var ends = stackalloc int[2];
        LinuxException.ThrowIfFailed(Libc.pipe2(ends, CloseOnExec), "make a pipe");
        var output = new SafeFileHandle(ends[0], ownsHandle: true);
        using var input = new SafeFileHandle(ends[1], ownsHandle: true);
        try
        {
            return new Child(Spawn(start, ends[1]), output, reaper, ended);
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    static int Spawn(ProcessStart start, int outputDescriptor)
    {
        var actions = stackalloc byte[Libc.SpawnStructureBytes];
        var attributes = stackalloc byte[Libc.SpawnStructureBytes];
        var signals = stackalloc byte[128];
        using var arguments = new CStrings([start.Executable, .. start.Arguments]);
        using var environment = new CStrings(start.Environment);
        using var paths = new CStrings(["/dev/null"]);
        Check(Libc.posix_spawn_file_actions_init(actions));
        Check(Libc.posix_spawnattr_init(attributes));
        try
        {
            Check(Libc.posix_spawn_file_actions_addopen(actions, 0, paths.Pointers[0], ReadWrite, 0));
            Check(Libc.posix_spawn_file_actions_adddup2(actions, outputDescriptor, 1));
            Check(Libc.posix_spawn_file_actions_adddup2(actions, outputDescriptor, 2));
            // The runtime ignores SIGPIPE and blocks signals here and there; a child starts with neither.
            Check(Libc.sigemptyset(signals));
            Check(Libc.posix_spawnattr_setsigmask(attributes, signals));
            Check(Libc.sigfillset(signals));
            Check(Libc.posix_spawnattr_setsigdefault(attributes, signals));
            var flags = Libc.SpawnSetSignalMask | Libc.SpawnSetSignalDefaults | (start.OwnSession ? Libc.SpawnNewSession : 0);
            Check(Libc.posix_spawnattr_setflags(attributes, (short)flags));
            int pid;
            var error = Libc.posix_spawn(&pid, arguments.Pointers[0], actions, attributes, arguments.Pointers, environment.Pointers);
            return error == 0 ? pid : throw new LinuxException($"start `{start.Executable}`", error);
        }
        finally
        {
            _ = Libc.posix_spawn_file_actions_destroy(actions);
            _ = Libc.posix_spawnattr_destroy(attributes);
        }
    }

    static void Check(int error)
    {
        if (error != 0)
            throw new LinuxException("prepare a process", error);
    }
}
