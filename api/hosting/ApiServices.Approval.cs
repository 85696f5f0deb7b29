using Talos.Api.Approval.V1;

namespace Talos.Api.Hosting;

public sealed partial class ApiServices
{
    /// <summary>Answers for <c>ApprovalService</c>.</summary>
    public ApiServices Add(ApprovalService.ApprovalServiceBase service) => Add(service, "talos.approval.v1.ApprovalService", static methods => methods
        .Unary("List", ListRequest.Parser, static (s, r, c) => s.List(r, c))
        .Unary("Approve", ApproveRequest.Parser, static (s, r, c) => s.Approve(r, c)));
}
