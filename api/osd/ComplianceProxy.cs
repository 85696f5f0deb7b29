using Grpc.Core;
using Talos.Api.Compliance.V1;

namespace Talos.Osd;

/// <summary>
/// Hands SystemReport on to machined: osd sees only its own processes, mounts and files, and what it could say of the machine would be
/// about its cell.
/// </summary>
sealed class ComplianceProxy(ComplianceService.ComplianceServiceClient machined) : ComplianceService.ComplianceServiceBase
{
    public override Task<SystemReportResponse> SystemReport(SystemReportRequest request, ServerCallContext context) =>
        MachineProxy.Unary(machined.SystemReportAsync, request, context);
}
