using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Api.Hosting;
using Talos.Api.Machine.V1;
using Talos.Api.Server;

namespace Talos.Osd;

static partial class OsdServer
{
    const string VersionMethod = "/talos.machine.v1.MachineService/Version";

    /// <summary>Serves Version to anyone and refuses everything else with the reason: there is nobody yet whom the node could trust.</summary>
    static async Task MaintainAsync(OsdConfiguration configuration, ILoggerProvider log, TimeProvider time, CancellationToken stop)
    {
        using var machined = MachineSocket.Open(configuration.Machined);
        var trust = new TrustSlot();
        trust.Set(new TrustMaterial(MakeThrowAway(configuration.Node, time), [], roots: null));
        await using var host = ApiHost.Create(
            new ApiHostOptions
            {
                Listen = ListenAddress(configuration),
                Trust = trust,
                Node = new NodeDescription(configuration.Cluster, configuration.Node, ""),
                ClientCertificates = ClientCertificates.NotRequested,
                Maintenance = new MaintenanceMode(configuration.Maintenance, new HashSet<string> { VersionMethod }),
                Time = time,
                Log = log,
            },
            new ApiServices().Add(new MaintenanceMachine(new MachineService.MachineServiceClient(machined), configuration)));
        await host.StartAsync(stop).ConfigureAwait(false);
        log.CreateLogger("osd").LogWarning("in maintenance on {Endpoint}: {Reason}", host.Endpoint, configuration.Maintenance);
        await StoppedAsync(host, stop).ConfigureAwait(false);
    }

    // It proves nothing and is not meant to: it only makes TLS possible. Gone with the process.
    static X509Certificate2 MakeThrowAway(string name, TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(time.GetUtcNow().AddHours(-1), time.GetUtcNow().AddDays(365));
    }
}
