using Talos.Api.Relay.V1;

namespace Talos.Api.Hosting;

public sealed partial class ApiServices
{
    /// <summary>Answers for <c>RelayService</c>.</summary>
    public ApiServices Add(RelayService.RelayServiceBase service) => Add(service, "talos.relay.v1.RelayService", static methods => methods
        .DuplexStreaming<ConnectRequest, Carried>("Connect", ConnectRequest.Parser, static (s, r, w, c) => s.Connect(r, w, c))
        .DuplexStreaming<AcceptRequest, Carried>("Accept", AcceptRequest.Parser, static (s, r, w, c) => s.Accept(r, w, c)));
}
