using Talos.Api.Witness.V1;

namespace Talos.Api.Hosting;

public sealed partial class ApiServices
{
    /// <summary>Answers for <c>WitnessService</c>.</summary>
    public ApiServices Add(WitnessService.WitnessServiceBase service) => Add(service, "talos.witness.v1.WitnessService", static methods => methods
        .Unary("AddCheckpoint", AddCheckpointRequest.Parser, static (s, r, c) => s.AddCheckpoint(r, c))
        .Unary("Offer", OfferRequest.Parser, static (s, r, c) => s.Offer(r, c))
        .Unary("AddCosignature", AddCosignatureRequest.Parser, static (s, r, c) => s.AddCosignature(r, c)));
}
