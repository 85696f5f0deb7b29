using System.Text;
using Talos.Api.Configuration;
using Talos.Linux;
using Talos.Linux.Files;
using Talos.Linux.Kernel;
using Talos.Machined.Services;

namespace Talos.Machined.Boot;

/// <summary>From an empty machine to running services. Each step that fails leaves the node in maintenance with the reason.</summary>
sealed class NodeBoot(Node node, IServiceControl services, TimeProvider clock)
{
    const string OsdFile = "/run/talos/osd.yaml", TrustdFile = "/run/talos/trustd.yaml";
    const uint OsdUser = 50, TrustdUser = 51;
    const UnixFileMode OwnerReads = UnixFileMode.UserRead;

    internal async Task RunAsync(CancellationToken stop)
    {
        var configuration = ConfigurationSource.Find(out var reason);
        if (configuration is not null)
            node.Configured(configuration);
        else
            node.Maintain(reason);
        Attempt(() => Machine.SetHostname(node.HostName));
        Attempt(() => MountState());
        if (configuration is not null)
            ApplySysctls(configuration);
        Attempt(() => ConfigureNetwork(configuration));
        await StartServicesAsync(configuration, stop);
        node.Run();
        Journal.Write(node.MaintenanceReason.Length == 0 ? $"{node.HostName} is configured" : $"maintenance: {node.MaintenanceReason}");
    }

    static void MountState()
    {
        if (StateFileSystem.Mount() is { } warning)
            Journal.Write(warning);
        Journal.Write("machine " + StateFileSystem.MachineId(Path.Combine(StateFileSystem.Root, "machined")));
    }

    void ApplySysctls(MachineConfiguration configuration)
    {
        var image = File.Exists(UserSysctls.ImageSettings) ? Sysctl.ReadFile(UserSysctls.ImageSettings) : [];
        foreach (var problem in UserSysctls.Apply(configuration.Machine.Sysctls, image))
            node.Maintain(problem);
    }

    static void ConfigureNetwork(MachineConfiguration? configuration)
    {
        var network = new HostNetwork();
        var problems = configuration is null
            ? network.ConfigureAll()
            : network.Configure(configuration.Machine.Network, configuration.Machine.HostName);
        // A network that is not there yet may come; what else runs on the machine should not wait for it.
        foreach (var problem in problems)
            Journal.Write(problem);
    }

    async Task StartServicesAsync(MachineConfiguration? configuration, CancellationToken stop)
    {
        try
        {
            // machined may have been restarted: what its predecessor wrote holds a token that trustd knows already.
            if (!File.Exists(OsdFile))
                WriteServiceFiles(configuration);
            if (File.Exists(TrustdFile))
                await services.StartAsync("trustd", stop);
            await services.StartAsync("osd", stop);
        }
        catch (Exception e) when (e is ServiceControlException or LinuxException)
        {
            node.Maintain(e.Message);
        }
    }

    void WriteServiceFiles(MachineConfiguration? configuration)
    {
        if (configuration is null || node.MaintenanceReason.Length > 0)
        {
            WriteFor(OsdUser, OsdFile, ServiceFiles.Maintenance(node.MaintenanceReason, node.HostName, ServicePaths.Node).ToYaml());
            return;
        }
        var files = ServiceFiles.Render(configuration, ServicePaths.Node, HostNetwork.Addresses(), clock.GetUtcNow());
        if (files.Trustd is not null)
            WriteFor(TrustdUser, TrustdFile, files.Trustd.ToYaml());
        WriteFor(OsdUser, OsdFile, files.Osd.ToYaml());
    }

    /// <summary>A step whose failure the node survives, in maintenance.</summary>
    void Attempt(Action step)
    {
        try
        {
            step();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            node.Maintain(e.Message);
        }
    }

    static void WriteFor(uint user, string path, string document) =>
        FileOwner.WriteFile(path, Encoding.UTF8.GetBytes(document), user, user, OwnerReads);
}
