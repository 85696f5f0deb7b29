using Grpc.Core;
using Talos.Api.Configuration;
using Talos.Api.Machine.V1;
using Talos.Api.Server;

namespace Talos.Osd;

/// <summary>What a node without a usable configuration says of itself: which release it is, and why it is not more.</summary>
sealed class MaintenanceMachine(MachineService.MachineServiceClient machined, OsdConfiguration configuration) : MachineService.MachineServiceBase
{
    // machined is the one that wrote the reason; if it is gone, what osd knows is enough.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public override async Task<VersionResponse> Version(VersionRequest request, ServerCallContext context)
    {
        var response = await AskAsync(context).ConfigureAwait(false);
        BuildDescription.Own.Describe(response);
        response.Stage = MachineStage.Maintenance;
        response.MaintenanceReason = configuration.Maintenance;
        return response;
    }

    async Task<VersionResponse> AskAsync(ServerCallContext context)
    {
        try
        {
            var deadline = TimeProvider.System.GetUtcNow().UtcDateTime + Patience;
            return await machined.VersionAsync(new VersionRequest(), deadline: deadline, cancellationToken: context.CancellationToken).ConfigureAwait(false);
        }
        catch (RpcException)
        {
            return new VersionResponse { Hostname = configuration.Node, MachineType = configuration.Role };
        }
    }
}
