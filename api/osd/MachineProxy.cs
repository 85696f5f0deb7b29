using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Machine.V1;
using Talos.Api.Server;

namespace Talos.Osd;

/// <summary>
/// Hands each call of MachineService on to machined, which has the privilege, and its answer back. Who may call what was
/// decided before; machined trusts its socket, so nothing here may add a call of its own.
/// </summary>
sealed partial class MachineProxy(MachineService.MachineServiceClient machined, BuildDescription build, RevocationView revocations, TimeProvider time)
    : MachineService.MachineServiceBase
{
    // LIMIT: no unary call on a node takes longer; a caller without a deadline must not pin a stream for ever.
    static readonly TimeSpan LongestUnary = TimeSpan.FromMinutes(2);

    public override async Task<VersionResponse> Version(VersionRequest request, ServerCallContext context)
    {
        var response = await Unary(machined.VersionAsync, request, context).ConfigureAwait(false);
        build.Describe(response);
        if (revocations.Age(time.GetUtcNow()) is { } age) response.RevocationAge = Duration.FromTimeSpan(age);
        return response;
    }

    public override Task<ServiceListResponse> ServiceList(ServiceListRequest request, ServerCallContext context) =>
        Unary(machined.ServiceListAsync, request, context);

    public override Task<ServiceRestartResponse> ServiceRestart(ServiceRestartRequest request, ServerCallContext context) =>
        Unary(machined.ServiceRestartAsync, request, context);

    public override Task<ProcessesResponse> Processes(ProcessesRequest request, ServerCallContext context) =>
        Unary(machined.ProcessesAsync, request, context);

    public override Task<StatsResponse> Stats(StatsRequest request, ServerCallContext context) => Unary(machined.StatsAsync, request, context);

    public override Task Dmesg(DmesgRequest request, IServerStreamWriter<LogChunk> responseStream, ServerCallContext context) =>
        Stream(machined.Dmesg, request, responseStream, context);

    public override Task Logs(LogsRequest request, IServerStreamWriter<LogChunk> responseStream, ServerCallContext context) =>
        Stream(machined.Logs, request, responseStream, context);

    public override Task<RebootResponse> Reboot(RebootRequest request, ServerCallContext context) => Unary(machined.RebootAsync, request, context);

    public override Task<ShutdownResponse> Shutdown(ShutdownRequest request, ServerCallContext context) =>
        Unary(machined.ShutdownAsync, request, context);

    public override Task<MountsResponse> Mounts(MountsRequest request, ServerCallContext context) => Unary(machined.MountsAsync, request, context);

    public override Task<DiskUsageResponse> DiskUsage(DiskUsageRequest request, ServerCallContext context) =>
        Unary(machined.DiskUsageAsync, request, context);

    public override Task List(ListRequest request, IServerStreamWriter<FileEntry> responseStream, ServerCallContext context) =>
        Stream(machined.List, request, responseStream, context);

    public override Task Read(ReadRequest request, IServerStreamWriter<FileChunk> responseStream, ServerCallContext context) =>
        Stream(machined.Read, request, responseStream, context);

    public override Task<TimeResponse> Time(TimeRequest request, ServerCallContext context) => Unary(machined.TimeAsync, request, context);

    public override Task<MemoryResponse> Memory(MemoryRequest request, ServerCallContext context) => Unary(machined.MemoryAsync, request, context);

    public override Task<NetworkInterfacesResponse> NetworkInterfaces(NetworkInterfacesRequest request, ServerCallContext context) =>
        Unary(machined.NetworkInterfacesAsync, request, context);
}
