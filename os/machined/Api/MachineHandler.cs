using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Machine.V1;
using Talos.Linux.Kernel;
using Talos.Linux.Network;
using Talos.Machined.Services;

namespace Talos.Machined.Api;

/// <summary>Answers MachineService. Who may ask what was decided before, by osd; here only osd's user gets in.</summary>
sealed partial class MachineHandler(Node node, IServiceControl services, LogDirectory logs, TimeProvider clock) : MachineService.MachineServiceBase
{
    public override Task<VersionResponse> Version(VersionRequest request, ServerCallContext context)
    {
        // `0.1.0+<revision>`, as the SDK stamps it.
        var version = typeof(MachineHandler).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') ?? [];
        return Task.FromResult(new VersionResponse
        {
            Tag = version.Length > 0 ? "v" + version[0] : "",
            Sha = version.Length > 1 ? version[1] : "",
            Platform = RuntimeInformation.OSArchitecture == Architecture.X64 ? "linux/amd64" : "linux/arm64",
            Kernel = $"{ProcFile.TryReadLine("/proc/sys/kernel/osrelease")} {ProcFile.TryReadLine("/proc/sys/kernel/version")}",
            Runtime = RuntimeInformation.FrameworkDescription,
            MachineType = node.Type,
            Hostname = node.HostName,
            Stage = node.Stage,
            MaintenanceReason = node.MaintenanceReason,
            BootId = ProcFile.TryReadLine("/proc/sys/kernel/random/boot_id") ?? "",
        });
    }

    public override Task<MountsResponse> Mounts(MountsRequest request, ServerCallContext context)
    {
        var response = new MountsResponse();
        foreach (var mount in MountTable.Read())
            response.Mounts.Add(new Mount { Source = mount.Source, Target = mount.Target, Filesystem = mount.FileSystem, Options = mount.Options });
        return Task.FromResult(response);
    }

    public override Task<DiskUsageResponse> DiskUsage(DiskUsageRequest request, ServerCallContext context)
    {
        var response = new DiskUsageResponse();
        foreach (var mount in MountTable.Read())
        {
            // File systems of the kernel's own making have no size.
            if (Linux.Files.FileSystemSpace.TryRead(mount.Target) is not { Size: > 0 } space)
                continue;
            response.Filesystems.Add(new DiskUse
            {
                Filesystem = mount.Source,
                Size = space.Size,
                Available = space.Available,
                MountedOn = mount.Target,
                Inodes = space.Inodes,
                InodesFree = space.FreeInodes,
            });
        }
        return Task.FromResult(response);
    }

    public override Task<TimeResponse> Time(TimeRequest request, ServerCallContext context)
    {
        // proc_uptime(5): seconds since boot, seconds idle
        var uptime = (ProcFile.TryReadLine("/proc/uptime") ?? "").Split(' ')[0];
        _ = double.TryParse(uptime, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds);
        return Task.FromResult(new TimeResponse
        {
            Time = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),
            Uptime = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)),
            Source = node.ClockSource,
        });
    }

    public override Task<MemoryResponse> Memory(MemoryRequest request, ServerCallContext context)
    {
        var memory = MemoryFacts.Read();
        return Task.FromResult(new MemoryResponse
        {
            Total = memory.Total,
            Used = memory.Used,
            Free = memory.Free,
            Shared = memory.Shared,
            Buffers = memory.Buffers,
            Cached = memory.Cached,
            Available = memory.Available,
        });
    }

    public override Task<NetworkInterfacesResponse> NetworkInterfaces(NetworkInterfacesRequest request, ServerCallContext context)
    {
        using var network = new RouteNetlink();
        var addresses = network.Addresses().ToLookup(address => address.LinkIndex);
        var response = new NetworkInterfacesResponse();
        foreach (var link in network.Links())
        {
            var item = new NetworkInterface
            {
                Index = link.Index,
                Name = link.Name,
                HardwareAddress = link.IsLoopback ? "" : string.Join(':', link.HardwareAddress.Select(part => part.ToString("x2", CultureInfo.InvariantCulture))),
                Mtu = link.MaximumTransfer,
                Up = link.IsUp,
            };
            item.Addresses.Add(addresses[link.Index].Select(address => $"{address.Address}/{address.PrefixLength}"));
            response.Interfaces.Add(item);
        }
        return Task.FromResult(response);
    }
}
