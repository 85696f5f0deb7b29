using Grpc.Core;
using Talos.Api.Compliance.V1;

namespace Talos.Osd;

/// <summary>
/// Hands each call of ComplianceService on to machined: osd sees only its own processes, mounts and files, and what it could say of the
/// machine would be about its cell.
/// </summary>
sealed class ComplianceProxy(ComplianceService.ComplianceServiceClient machined) : ComplianceService.ComplianceServiceBase
{
    public override Task<ReportResponse> Report(ReportRequest request, ServerCallContext context) => MachineProxy.Unary(machined.ReportAsync, request, context);

    public override Task Watch(WatchRequest request, IServerStreamWriter<WatchResponse> responseStream, ServerCallContext context) =>
        MachineProxy.Stream(machined.Watch, request, responseStream, context);

    public override Task<HistoryResponse> History(HistoryRequest request, ServerCallContext context) =>
        MachineProxy.Unary(machined.HistoryAsync, request, context);
}
