using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using Talos.Api.Hosting;
using Talos.Api.Machine.V1;
using Talos.Api.Server;
using Talos.Audit;
using Talos.Pki;
using Talos.Policy;

namespace Talos.Benchmarks;

/// <summary>The other process of <see cref="ServerBench"/>: serves until its standard input ends.</summary>
static class ServerBenchHost
{
    public static async Task<int> Run(string folder, string mode)
    {
        var trust = new TrustSlot();
        var roots = TrustStore.Parse(File.ReadAllBytes(Path.Combine(folder, "bundle.pem"))).Require();
        trust.Set(new TrustMaterial(X509Certificate2.CreateFromPemFile(Path.Combine(folder, "server.pem")), [], roots));
        using var signer = Ed25519CheckpointSigner.Create("bench/cp-1/osd");
        await using var record = AuditLog.Open(Path.Combine(folder, $"audit-{Environment.ProcessId}"), new AuditLogOptions { Signer = signer, Node = "cp-1" });
        await using var host = ApiHost.Create(
            new ApiHostOptions
            {
                Listen = new IPEndPoint(IPAddress.Loopback, 0),
                Trust = trust,
                Node = new NodeDescription("bench", "cp-1", "controlplane"),
                Policy = PolicyInForce.Open(new PolicySource { Shipped = Path.Combine(Root(), "policy", "bundle") }),
                Audit = record,
                Maintenance = mode == "bare" ? new MaintenanceMode("", new HashSet<string> { "/talos.machine.v1.MachineService/Version" }) : null,
            },
            new ApiServices().Add(new EmptyMachine()));
        await host.StartAsync();
        Console.Out.WriteLine(host.Endpoint);
        await Console.In.ReadToEndAsync();
        await host.StopAsync();
        return 0;
    }

    public static void MakeIdentities(string folder)
    {
        using var authority = CertificateAuthority.CreateRoot(ECDsa.Create(ECCurve.NamedCurves.nistP256), "bench", 1, TimeProvider.System).Require();
        File.WriteAllText(Path.Combine(folder, "bundle.pem"), authority.Certificate.ToPem());
        Write(Path.Combine(folder, "server.pem"), authority, CertificateProfile.Node, new IdentityGrant { Cluster = "bench", Name = "cp-1", Roles = ["os:node"], Addresses = [IPAddress.Loopback] });
        Write(Path.Combine(folder, "client.pem"), authority, CertificateProfile.User, new IdentityGrant { Cluster = "bench", Name = "ada", Roles = ["os:admin"] });
    }

    static void Write(string path, CertificateAuthority authority, CertificateProfile profile, IdentityGrant grant)
    {
        using var request = CertificateSigningRequest.Create(grant.Name);
        var verified = VerifiedRequest.Parse(request.Der.Span).Require();
        var prepared = authority.PrepareAsync(profile, grant, verified, (_, _) => new(SerialVerdict.Recorded)).AsTask().GetAwaiter().GetResult();
        File.WriteAllText(path, authority.Issue(prepared.Require()).ToPem() + request.ExportPrivateKeyPem(), Encoding.ASCII);
    }

    static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Talos.sln"))) at = at.Parent ?? throw new InvalidOperationException("not in the repository");
        return at.FullName;
    }

    sealed class EmptyMachine : MachineService.MachineServiceBase
    {
        static readonly VersionResponse Version_ = new();
        static readonly RebootResponse Reboot_ = new();

        public override Task<VersionResponse> Version(VersionRequest request, ServerCallContext context) => Task.FromResult(Version_);

        public override Task<RebootResponse> Reboot(RebootRequest request, ServerCallContext context) => Task.FromResult(Reboot_);
    }
}
