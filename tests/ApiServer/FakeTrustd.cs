using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Pki;

namespace Talos.Api.Server.Tests;

/// <summary>Talks like trustd; a test chooses what it says.</summary>
sealed class FakeTrustd(TokenSecret token) : TrustService.TrustServiceBase
{
    public TestAuthority Authority { get; set; } = null!;

    public string Bundle { get; set; } = "";

    /// <summary>The node that certificates are for.</summary>
    public string Node { get; set; } = "worker-1";

    public string Cluster { get; set; } = "demo";

    public byte[] DiscoveryKey { get; set; } = token.Discovery().ToArray();

    public RefusalException? Refusal { get; set; }

    public string? TokenSeen { get; private set; }

    /// <summary>What every stream of revocations begins with, all of it current.</summary>
    public IReadOnlyList<CertificateRevocationList> Lists { get; set; } = [];

    /// <summary>Streams of revocations so far.</summary>
    public int Streams => streams;

    int streams;

    public override async Task Revocations(RevocationsRequest request, IServerStreamWriter<RevocationUpdate> stream, ServerCallContext context)
    {
        Interlocked.Increment(ref streams);
        var all = new RevocationUpdate { Snapshot = true, Current = true, Lists = { Lists.Select(l => ByteString.CopyFrom(l.Der.Span)) } };
        await stream.WriteAsync(all, context.CancellationToken);
        await Task.Delay(Timeout.Infinite, context.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override Task<CABundleResponse> CABundle(CABundleRequest request, ServerCallContext context) => Task.FromResult(new CABundleResponse
    {
        BundlePem = Bundle,
        TrustDomain = Cluster,
        Authenticator = ByteString.CopyFrom(HMACSHA256.HashData(DiscoveryKey, (byte[])[.. request.Nonce.Span, .. Encoding.UTF8.GetBytes(Bundle)])),
    });

    public override Task<CertificateResponse> Enroll(EnrollRequest request, ServerCallContext context)
    {
        TokenSeen = request.Token;
        if (Refusal is { } refusal) throw refusal;
        return Task.FromResult(Answer(request.Csr));
    }

    public override Task<CertificateResponse> Renew(RenewRequest request, ServerCallContext context) => Task.FromResult(Answer(request.Csr));

    CertificateResponse Answer(ByteString csr) => new()
    {
        Certificate = ByteString.CopyFrom(Authority.Issue(CertificateProfile.Node, Authority.NodeGrant(Node), csr.Span).Der.Span),
        BundlePem = Authority.BundlePem,
    };
}
