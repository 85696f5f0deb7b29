using Talos.Linux;
using Talos.Linux.Kernel;
using Talos.Linux.Processes;
using Talos.Linux.Supervision;

namespace Talos.Init;

/// <summary>
/// The end of the machine, in order: services from the last to the first, SIGTERM then SIGKILL to whatever is left, file systems
/// to disk, state unmounted, power off or restart. No step can keep the next one from happening.
/// </summary>
static class Shutdown
{
    /// <summary>More than the sum of the services' own timeouts.</summary>
    static readonly TimeSpan ServicesTimeout = TimeSpan.FromSeconds(20);
    static readonly TimeSpan StragglersTimeout = TimeSpan.FromSeconds(2);
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    internal static async Task RunAsync(MachineEnd end, Supervisor supervisor, Journal journal, TimeProvider clock)
    {
        journal.Write(end == MachineEnd.Reboot ? "stopping services, then restart" : "stopping services, then power off");
        try
        {
            await supervisor.StopAllAsync().WaitAsync(ServicesTimeout, clock);
        }
        catch (TimeoutException)
        {
            journal.Write("services did not stop in time");
        }
        ProcessSignals.SendToAll(Signal.Terminate);
        var since = clock.GetTimestamp();
        while (ProcessSignals.AnyOtherUserProcess() && clock.GetElapsedTime(since) < StragglersTimeout)
            await Task.Delay(Step, clock);
        ProcessSignals.SendToAll(Signal.Kill);
        Machine.Synchronise();
        UnmountState(journal);
        journal.Write("end");
        Machine.End(end);
    }

    static void UnmountState(Journal journal)
    {
        const string State = "/state";
        try
        {
            if (MountTable.Read().Any(entry => entry.Target == State))
                Mounts.Detach(State);
        }
        catch (LinuxException e)
        {
            journal.Write(e.Message);
            Mounts.Detach(State, lazily: true);
        }
    }
}
