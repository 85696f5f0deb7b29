using Talos.Api.Audit.V1;

namespace Talos.Api.Hosting;

public sealed partial class ApiServices
{
    /// <summary>Answers for <c>AuditService</c>.</summary>
    public ApiServices Add(AuditService.AuditServiceBase service) => Add(service, "talos.audit.v1.AuditService", static methods => methods
        .ServerStreaming<ListRequest, ListResponse>("List", ListRequest.Parser, static (s, r, w, c) => s.List(r, w, c))
        .ServerStreaming<FetchRequest, FetchResponse>("Fetch", FetchRequest.Parser, static (s, r, w, c) => s.Fetch(r, w, c))
        .Unary("Checkpoint", CheckpointRequest.Parser, static (s, r, c) => s.Checkpoint(r, c))
        .Unary("Status", StatusRequest.Parser, static (s, r, c) => s.Status(r, c))
        .Unary("Prove", ProveRequest.Parser, static (s, r, c) => s.Prove(r, c)));
}
