using Talos.Api.Policy.V1;

namespace Talos.Api.Hosting;

public sealed partial class ApiServices
{
    /// <summary>Answers for <c>PolicyService</c>.</summary>
    public ApiServices Add(PolicyService.PolicyServiceBase service) => Add(service, "talos.policy.v1.PolicyService", static methods => methods
        .Unary("Push", PushRequest.Parser, static (s, r, c) => s.Push(r, c))
        .Unary("Restore", RestoreRequest.Parser, static (s, r, c) => s.Restore(r, c))
        .Unary("Status", StatusRequest.Parser, static (s, r, c) => s.Status(r, c))
        .Unary("Decide", DecideRequest.Parser, static (s, r, c) => s.Decide(r, c)));
}
