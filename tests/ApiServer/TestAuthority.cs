using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Talos.Pki;

namespace Talos.Api.Server.Tests;

/// <summary>A certificate authority in memory, and certificates of it.</summary>
sealed class TestAuthority : IDisposable
{
    readonly CertificateAuthority authority;
    readonly string cluster;

    public TestAuthority(string cluster = "demo", TimeProvider? time = null)
    {
        this.cluster = cluster;
        authority = CertificateAuthority.CreateRoot(ECDsa.Create(ECCurve.NamedCurves.nistP256), cluster, 1, time ?? TimeProvider.System).Require();
    }

    public TrustStore Roots => TrustStore.Create(authority.Certificate);

    public string BundlePem => authority.Certificate.ToPem();

    public TrustMaterial Person(string name, params string[] roles) =>
        Make(CertificateProfile.User, new IdentityGrant { Cluster = cluster, Name = name, Roles = [.. roles] });

    public TrustMaterial Node(string name) => Make(CertificateProfile.Node, NodeGrant(name));

    public TrustMaterial Trustd(string name) => Make(CertificateProfile.Trustd, NodeGrant(name) with { Roles = [] });

    public IdentityGrant NodeGrant(string name) => new()
    {
        Cluster = cluster,
        Name = name,
        Roles = ["os:node"],
        DnsNames = [name],
        Addresses = [IPAddress.Loopback],
    };

    public Certificate Issue(CertificateProfile profile, IdentityGrant grant, ReadOnlySpan<byte> csr)
    {
        var request = VerifiedRequest.Parse(csr).Require();
        var prepared = authority.PrepareAsync(profile, grant, request, (_, _) => new(SerialVerdict.Recorded)).AsTask().GetAwaiter().GetResult();
        return authority.Issue(prepared.Require());
    }

    /// <summary>A complete list with these serials.</summary>
    public CertificateRevocationList List(params string[] serials) => authority.IssueCrl(new CrlContent
    {
        Number = 1,
        Entries = [.. serials.Select(s => new CrlEntry(s, DateTimeOffset.UtcNow, CrlReason.Unspecified))],
        Life = TimeSpan.FromHours(1),
    });

    public void Dispose() => authority.Dispose();

    TrustMaterial Make(CertificateProfile profile, IdentityGrant grant)
    {
        using var request = CertificateSigningRequest.Create(grant.Name);
        using var bare = X509CertificateLoader.LoadCertificate(Issue(profile, grant, request.Der.Span).Der.Span);
        return new TrustMaterial(bare.CopyWithPrivateKey(request.Key), [], Roots);
    }
}
