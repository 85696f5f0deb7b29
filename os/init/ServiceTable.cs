using Talos.Linux.Confinement;
using Talos.Linux.Processes;
using Talos.Linux.Supervision;

namespace Talos.Init;

/// <summary>One service of the node: what runs, as whom, seeing what.</summary>
sealed record ServiceDefinition(string Id, ProcessStart Start, Confinement Confinement, TimeSpan StopTimeout, bool StartsWithInit)
{
    /// <summary>The service as the supervisor starts it: through the launcher stage.</summary>
    internal ServiceSpecification Specification => new()
    {
        Id = Id,
        Start = new ProcessStart { Executable = "/proc/self/exe", Arguments = [Launcher.Argument, Id], OwnSession = true },
        StopTimeout = StopTimeout,
    };
}

/// <summary>Everything that this machine can run. Starts from the top, stops from the bottom.</summary>
static class ServiceTable
{
    const uint OsdUser = 50, TrustdUser = 51;

    /// <summary>What the runtime opens for itself, and the verified root's configuration. Nothing of the machine that machined does not tell.</summary>
    static readonly ViewEntry[] CommonView =
    [
        new("/etc", ViewAccess.Read),
        new("/proc", ViewAccess.OwnProcesses),
        new("/sys", ViewAccess.Read),
        new("/tmp", ViewAccess.Private),
        new("/dev/null", ViewAccess.Device),
        new("/dev/urandom", ViewAccess.Device),
        new("/dev/random", ViewAccess.Device),
        // The service's own file of settings and machined's socket; file modes keep it from those of others.
        new("/run/talos", ViewAccess.Read),
        // Where /etc/resolv.conf points.
        new("/run/resolv.conf", ViewAccess.Read),
    ];

    internal static readonly IReadOnlyList<ServiceDefinition> Services =
    [
        new("machined",
            new ProcessStart { Executable = "/sbin/machined", Environment = Environment(heapMegabytes: 64) },
            new Confinement
            {
                User = 0,
                Group = 0,
                Capabilities = CapabilitySet.SystemAdministration // mounts, kernel.* settings
                    | CapabilitySet.NetworkAdministration         // links, addresses, routes, net.* settings
                    | CapabilitySet.RawSockets                    // DHCP before there is an address
                    | CapabilitySet.KernelLog                     // dmesg_restrict
                    | CapabilitySet.ChangeOwner                   // a state directory for each service
                    | CapabilitySet.ActAsFileOwner
                    | CapabilitySet.OverrideFilePermissions,
                View = null,
                Share = new ControlGroup("machined", 128L << 20, 128),
                Filter = SeccompProfile.Machined,
            },
            TimeSpan.FromSeconds(5),
            StartsWithInit: true),
        new("trustd",
            new ProcessStart
            {
                Executable = "/sbin/trustd",
                Arguments = ["--config", "/run/talos/trustd.yaml"],
                // SQLite sorts what is larger than its cache in a file (sqlite.org/tempfiles.html §5), and a whole ledger does not fit into /tmp.
                // While a fleet renews, a certificate takes 30 KB, and every collection stops all callers.
                Environment = [.. Environment(heapMegabytes: 128, youngMegabytes: 8), "SQLITE_TMPDIR=/state/trustd"],
            },
            new Confinement
            {
                User = TrustdUser,
                Group = TrustdUser,
                View = [.. CommonView, new("/sbin/trustd", ViewAccess.Execute), new("/state/trustd", ViewAccess.Write)],
                // The heap, 60 KiB outside of it for each connection, 20 MiB of code and its data: a thousand nodes and their renewals (docs/design/pki.md).
                Share = new ControlGroup("trustd", 320L << 20, 256),
                Filter = SeccompProfile.Service,
                // Its API admits 2048 connections (trustd/TrustdServer.cs).
                OpenFilesMaximum = 4096,
            },
            TimeSpan.FromSeconds(5),
            StartsWithInit: false),
        new("osd",
            new ProcessStart { Executable = "/sbin/osd", Arguments = ["--config", "/run/talos/osd.yaml"], Environment = Environment(heapMegabytes: 96) },
            new Confinement
            {
                User = OsdUser,
                Group = OsdUser,
                View = [.. CommonView, new("/sbin/osd", ViewAccess.Execute), new("/state/osd", ViewAccess.Write)],
                Share = new ControlGroup("osd", 192L << 20, 256),
                Filter = SeccompProfile.Service,
                OpenFilesMaximum = 4096,
            },
            TimeSpan.FromSeconds(5),
            StartsWithInit: false),
    ];

    internal static ServiceDefinition? Find(string id) => Services.FirstOrDefault(service => service.Id == id);

    /// <summary>
    /// Runtime settings: a bounded heap, a first generation that does not follow the host's cache size, memory before speed. They go before what is
    /// built in (os/aot/MuslStatic.targets). Hexadecimal, without `0x`: a value with it is skipped without a word (tests/AotSelfTest).
    /// </summary>
    static string[] Environment(int heapMegabytes, int youngMegabytes = 2) =>
    [
        $"DOTNET_GCHeapHardLimit={heapMegabytes << 20:x}",
        $"DOTNET_GCgen0size={youngMegabytes << 20:x}",
        "DOTNET_GCConserveMemory=5",
        "DOTNET_EnableDiagnostics=0",
        // The runtime looks below it for users' certificate stores: a place of the service's own, where there are none.
        "HOME=/tmp",
    ];
}
