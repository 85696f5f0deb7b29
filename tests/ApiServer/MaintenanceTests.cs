using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Talos.Api.Hosting;
using Talos.Api.Machine.V1;
using Xunit;

namespace Talos.Api.Server.Tests;

public sealed class MaintenanceTests
{
    [Fact]
    public async Task Accepts_nothing_but_the_open_methods()
    {
        using var authority = new TestAuthority();
        var slot = new TrustSlot();
        slot.Set(authority.Node("cp-1"));
        await using var host = ApiHost.Create(
            new ApiHostOptions
            {
                Listen = new IPEndPoint(IPAddress.Loopback, 0),
                Trust = slot,
                Node = new NodeDescription("demo", "cp-1", ""),
                ClientCertificates = ClientCertificates.NotRequested,
                Maintenance = new MaintenanceMode("machine.yaml:3:1: unknown field `hostnme`", new HashSet<string> { "/talos.machine.v1.MachineService/Version" }),
                Log = NullLoggerProvider.Instance,
            },
            new ApiServices().Add(new OpenMachine()));
        await host.StartAsync();
        using var channel = GrpcChannel.ForAddress($"https://{host.Endpoint}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { SslOptions = TestHost.ClientTls(null) },
        });
        var client = new MachineService.MachineServiceClient(channel);

        Assert.Equal("v1", (await client.VersionAsync(new VersionRequest())).Tag);

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.RebootAsync(new RebootRequest()));
        Assert.Equal((StatusCode.Unavailable, "maintenance"), (failure.StatusCode, failure.Trailers.GetValue(RefusalException.ReasonTrailer)));
        Assert.Contains("machine.yaml:3:1", failure.Status.Detail, StringComparison.Ordinal);
        using var stream = client.Dmesg(new DmesgRequest());
        failure = await Assert.ThrowsAsync<RpcException>(async () => await stream.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Fact]
    public void Rejects_a_host_without_policy_outside_maintenance() => Assert.Throws<ArgumentException>(() => ApiHost.Create(
        new ApiHostOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Trust = new TrustSlot(), Node = new NodeDescription("demo", "cp-1", "") },
        new ApiServices().Add(new OpenMachine())));

    sealed class OpenMachine : MachineService.MachineServiceBase
    {
        public override Task<VersionResponse> Version(VersionRequest request, ServerCallContext context) => Task.FromResult(new VersionResponse { Tag = "v1" });
    }
}
