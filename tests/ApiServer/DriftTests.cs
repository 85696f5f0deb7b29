using Grpc.Core;
using Talos.Api.Machine.V1;
using Talos.Policy;
using Xunit;

namespace Talos.Api.Server.Tests;

/// <summary>A policy that lets nobody reboot a node that is not as it should be, in front of a real server.</summary>
public sealed class DriftTests
{
    [Fact]
    public async Task Denies_work_on_a_node_that_drifted_or_was_not_read()
    {
        using var bundle = new TestBundle().Change(
            "talos/authz/data.json", data => data["methods"]!["/talos.machine.v1.MachineService/Reboot"]!["undrifted"] = true);
        await using var test = await TestHost.StartAsync(policy: bundle.Source);
        var ada = test.As("ada", "os:admin");

        Assert.Equal("Reboot is served only by nodes without drift; this one has not been read", await RefusalAsync());
        Learn(DriftState.Drifted, new DriftedFact("sysctl", "kernel.sysrq", DateTimeOffset.UnixEpoch));
        Assert.Equal("Reboot is served only by nodes without drift; this one drifted: sysctl kernel.sysrq", await RefusalAsync());
        Assert.Equal(0, test.Machine.Handled);
        // What the rule does not name is served as ever.
        await ada.VersionAsync(new VersionRequest());
        Learn(DriftState.Clean);
        await ada.RebootAsync(new RebootRequest());
        Assert.Equal(2, test.Machine.Handled);

        void Learn(DriftState state, params DriftedFact[] drift) =>
            test.Node.Learn(node => node with { Compliance = new NodeCompliance(state, drift, new Dictionary<string, string> { ["kspp"] = "fail" }) });

        async Task<string> RefusalAsync()
        {
            var refusal = await Assert.ThrowsAsync<RpcException>(async () => await ada.RebootAsync(new RebootRequest()));
            Assert.Equal("node_drifted", refusal.Trailers.GetValue(RefusalException.ReasonTrailer));
            return refusal.Status.Detail;
        }
    }
}
