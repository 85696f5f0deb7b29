using Talos.Linux.Native;

namespace Talos.Linux.Processes;

/// <summary>Signals to more than one process; for PID 1 at the end of the machine.</summary>
public static class ProcessSignals
{
    /// <summary>kill(2) with -1: every process but the caller and process 1.</summary>
    public static void SendToAll(Signal signal) => _ = Libc.kill(-1, (int)signal);

    /// <summary>True while a process other than the caller runs that is no kernel thread.</summary>
    public static bool AnyOtherUserProcess() =>
        Kernel.ProcessTable.Read().Any(process => process.ProcessId != Environment.ProcessId && !process.IsKernelThread && process.State != 'Z');
}
