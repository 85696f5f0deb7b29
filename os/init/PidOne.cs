using System.Runtime.InteropServices;
using Talos.Linux;
using Talos.Linux.Confinement;
using Talos.Linux.Kernel;
using Talos.Linux.Network;
using Talos.Linux.Processes;
using Talos.Linux.Supervision;

namespace Talos.Init;

/// <summary>Process 1: mounts, starts machined, keeps services running, ends the machine. It never returns and never fails for good.</summary>
static class PidOne
{
    const string LogDirectory = "/run/log/talos";

    /// <summary>Long enough to read the reason on the console.</summary>
    static readonly TimeSpan PauseBeforeRestart = TimeSpan.FromSeconds(10);

    internal static int Run()
    {
        using var journal = new Journal();
        // An exception on any thread would end the process, and the kernel with it.
        AppDomain.CurrentDomain.UnhandledException += (_, e) => RestartAfterFailure(journal, e.ExceptionObject);
        try
        {
            RunAsync(journal, TimeProvider.System).GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            RestartAfterFailure(journal, e);
        }
        return 1;
    }

    static async Task RunAsync(Journal journal, TimeProvider clock)
    {
        BootMounts.Attach(journal.Write);
        // In a container the keys are not ours.
        Attempt(Machine.DisableControlAltDelete, journal);
        Attempt(ControlGroup.Prepare, journal);
        HardenKernel(journal);
        using (var network = new RouteNetlink())
            network.SetUp("lo");
        Directory.CreateDirectory(LogDirectory);
        Directory.CreateDirectory(Path.GetDirectoryName(ControlProtocol.SocketPath)!);
        using var log = new ServiceLog(LogDirectory, "init", clock);
        journal.KeepIn(log);

        var reaper = Reaper.ForEverything((pid, status) => journal.Write($"orphan {pid} {status}"));
        using var supervisor = new Supervisor(ServiceTable.Services.Select(service => service.Specification), reaper, LogDirectory, clock, journal.Write);
        var end = new TaskCompletionSource<MachineEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = new CancellationTokenSource();
        using var restartKeys = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Request(context, MachineEnd.Reboot));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Request(context, MachineEnd.PowerOff));
        using var control = new ControlSocket(ControlProtocol.SocketPath, supervisor, machineEnd => end.TrySetResult(machineEnd));
        var serving = control.ServeAsync(stop.Token);
        foreach (var service in ServiceTable.Services.Where(service => service.StartsWithInit))
            await StartAsync(supervisor, service.Id, journal);
        journal.Write("started");

        if (await Task.WhenAny(end.Task, serving) == serving)
            await serving;
        await stop.CancelAsync();
        await Shutdown.RunAsync(await end.Task, supervisor, journal, clock);

        void Request(PosixSignalContext context, MachineEnd machineEnd)
        {
            context.Cancel = true;
            end.TrySetResult(machineEnd);
        }
    }

    static async Task StartAsync(Supervisor supervisor, string id, Journal journal)
    {
        try
        {
            await supervisor.StartAsync(id);
        }
        catch (LinuxException e)
        {
            // The supervisor tries again.
            journal.Write(e.Message);
        }
    }

    /// <summary>A step that a machine can do without.</summary>
    static void Attempt(Action step, Journal journal)
    {
        try
        {
            step();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            journal.Write(e.Message);
        }
    }

    /// <summary>The image's own settings, before any service runs: later ones need capabilities that no service has.</summary>
    static void HardenKernel(Journal journal)
    {
        const string Settings = "/etc/talos/sysctl.conf";
        foreach (var setting in File.Exists(Settings) ? Sysctl.ReadFile(Settings) : [])
        {
            if (Sysctl.TryWrite(setting.Name, setting.Value) is { } reason)
                journal.Write($"{Settings}:{setting.Line}: {reason}");
        }
    }

    static void RestartAfterFailure(Journal journal, object failure)
    {
        journal.Write($"failed, restart in {PauseBeforeRestart.TotalSeconds} s: {failure}");
        using var never = new ManualResetEvent(false);
        never.WaitOne(PauseBeforeRestart);
        Machine.End(MachineEnd.Reboot);
    }
}
