using Talos.Api.Machine.V1;

namespace Talos.Api.Hosting;

public sealed partial class ApiServices
{
    /// <summary>Answers for <c>MachineService</c>.</summary>
    public ApiServices Add(MachineService.MachineServiceBase service) => Add(service, "talos.machine.v1.MachineService", static methods => methods
        .Unary("Version", VersionRequest.Parser, static (s, r, c) => s.Version(r, c))
        .Unary("ServiceList", ServiceListRequest.Parser, static (s, r, c) => s.ServiceList(r, c))
        .Unary("ServiceRestart", ServiceRestartRequest.Parser, static (s, r, c) => s.ServiceRestart(r, c))
        .Unary("Processes", ProcessesRequest.Parser, static (s, r, c) => s.Processes(r, c))
        .Unary("Stats", StatsRequest.Parser, static (s, r, c) => s.Stats(r, c))
        .ServerStreaming<DmesgRequest, LogChunk>("Dmesg", DmesgRequest.Parser, static (s, r, w, c) => s.Dmesg(r, w, c))
        .ServerStreaming<LogsRequest, LogChunk>("Logs", LogsRequest.Parser, static (s, r, w, c) => s.Logs(r, w, c))
        .Unary("Reboot", RebootRequest.Parser, static (s, r, c) => s.Reboot(r, c))
        .Unary("Shutdown", ShutdownRequest.Parser, static (s, r, c) => s.Shutdown(r, c))
        .Unary("Mounts", MountsRequest.Parser, static (s, r, c) => s.Mounts(r, c))
        .Unary("DiskUsage", DiskUsageRequest.Parser, static (s, r, c) => s.DiskUsage(r, c))
        .ServerStreaming<ListRequest, FileEntry>("List", ListRequest.Parser, static (s, r, w, c) => s.List(r, w, c))
        .ServerStreaming<ReadRequest, FileChunk>("Read", ReadRequest.Parser, static (s, r, w, c) => s.Read(r, w, c))
        .Unary("Time", TimeRequest.Parser, static (s, r, c) => s.Time(r, c))
        .Unary("Memory", MemoryRequest.Parser, static (s, r, c) => s.Memory(r, c))
        .Unary("NetworkInterfaces", NetworkInterfacesRequest.Parser, static (s, r, c) => s.NetworkInterfaces(r, c)));
}
