using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>
/// Asks trustd for certificates. A token's secret is sent only to a server that has proved, with that same token's discovery key,
/// which authority the cluster has, and that it holds a certificate of it.
/// </summary>
/// <param name="cluster">The trust domain that trustd must belong to.</param>
/// <param name="endpoints">Tried in order until one answers.</param>
/// <param name="token">For enrolling; null for a node that waits for a person's approval, or can only renew.</param>
/// <param name="roots">The authority, when it is known from elsewhere; null discovers it with the token. Without a token it has to be known.</param>
public sealed partial class TrustdSource(
    string cluster, IReadOnlyList<Endpoint> endpoints, TokenSecret? token, TrustStore? roots, TimeProvider time) : ICertificateSource
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public Task<CertificateGrant> EnrollAsync(ReadOnlyMemory<byte> csr, TrustStore? learned, CancellationToken cancellation)
    {
        var known = learned ?? roots;
        if (token is null && known is null)
            throw new EnrollmentException(EnrollmentFailure.NothingToShow, "there is neither a valid certificate, nor a join token, nor the cluster's CA to ask for approval under");
        if (token is null) return FirstAnswerAsync(endpoint => ApplyAsync(endpoint, csr, known!, cancellation));
        var request = new EnrollRequest { Csr = ByteString.CopyFrom(csr.Span), Token = token.Reveal() };
        return FirstAnswerAsync(async endpoint =>
        {
            var check = known is null ? ServerCheck.ForDiscovery(endpoint, cluster, time) : new ServerCheck(endpoint, known, cluster, time);
            using var channel = ServerCheck.Open(endpoint, check, own: null);
            if (known is null && !check.Believes(await DiscoverAsync(endpoint, check, channel, cancellation).ConfigureAwait(false)))
                throw new EnrollmentException(EnrollmentFailure.NotTrusted, $"`{endpoint}` is not to be trusted: {check.Fault}");
            return Grant(await CallAsync(endpoint, check, channel, (client, options) => client.EnrollAsync(request, options), cancellation).ConfigureAwait(false));
        });
    }

    public Task<CertificateGrant> RenewAsync(ReadOnlyMemory<byte> csr, TrustMaterial current, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(current);
        var request = new RenewRequest { Csr = ByteString.CopyFrom(csr.Span) };
        return FirstAnswerAsync(async endpoint =>
        {
            var check = new ServerCheck(endpoint, current.Roots, cluster, time);
            using var channel = ServerCheck.Open(endpoint, check, current);
            return Grant(await CallAsync(endpoint, check, channel, (client, options) => client.RenewAsync(request, options), cancellation).ConfigureAwait(false));
        });
    }

    async Task<CertificateGrant> ApplyAsync(Endpoint endpoint, ReadOnlyMemory<byte> csr, TrustStore trusted, CancellationToken cancellation)
    {
        var check = new ServerCheck(endpoint, trusted, cluster, time);
        using var channel = ServerCheck.Open(endpoint, check, own: null);
        var request = new EnrollmentApplyRequest { Csr = ByteString.CopyFrom(csr.Span) };
        var answer = await CallAsync(endpoint, check, channel, (client, options) => client.EnrollmentApplyAsync(request, options), cancellation).ConfigureAwait(false);
        return answer.State switch
        {
            EnrollmentState.Issued when answer.Issued is { } issued => Grant(issued),
            EnrollmentState.Denied => throw new EnrollmentException(EnrollmentFailure.Refused, $"a person denied the enrollment `{answer.Id}`"),
            _ => throw new EnrollmentException(EnrollmentFailure.Waiting, answer.Id),
        };
    }

    async Task<CertificateGrant> FirstAnswerAsync(Func<Endpoint, Task<CertificateGrant>> ask)
    {
        EnrollmentException? last = null;
        foreach (var endpoint in endpoints)
        {
            try
            {
                return await ask(endpoint).ConfigureAwait(false);
            }
            catch (EnrollmentException e) when (e.Failure is EnrollmentFailure.Unreachable or EnrollmentFailure.NotTrusted)
            {
                last = e;
            }
        }
        throw last ?? new EnrollmentException(EnrollmentFailure.Unreachable, "no trustd endpoint is known");
    }

    async Task<TrustStore> DiscoverAsync(Endpoint endpoint, ServerCheck check, GrpcChannel channel, CancellationToken cancellation)
    {
        var nonce = RandomNumberGenerator.GetBytes(32);
        // Whoever answers is nobody yet; the authenticator below makes the answer believable, not the connection.
        var request = new CABundleRequest { TokenId = token!.Id, Nonce = ByteString.CopyFrom(nonce) };
        var answer = await CallAsync(endpoint, check, channel, (client, options) => client.CABundleAsync(request, options), cancellation).ConfigureAwait(false);
        var bundle = Encoding.UTF8.GetBytes(answer.BundlePem);
        var expected = HMACSHA256.HashData(token!.Discovery().Span, [.. nonce, .. bundle]);
        if (!CryptographicOperations.FixedTimeEquals(expected, answer.Authenticator.Span))
            throw new EnrollmentException(EnrollmentFailure.NotTrusted, $"`{endpoint}` does not know the token, so it is not the trustd that was meant");
        if (answer.TrustDomain != cluster)
            throw new EnrollmentException(EnrollmentFailure.NotTrusted, $"`{endpoint}` belongs to the cluster `{answer.TrustDomain}`, not to `{cluster}`");
        return TrustStore.Parse(bundle).Is(out var store, out var fault)
            ? store
            : throw new EnrollmentException(EnrollmentFailure.BadAnswer, $"the certificates that `{endpoint}` sent are malformed: {fault}");
    }

    static CertificateGrant Grant(CertificateResponse answer) => new(answer.Certificate.Memory, [.. answer.Intermediates.Select(i => i.Memory)], answer.BundlePem);

    static async Task<TResponse> CallAsync<TResponse>(
        Endpoint endpoint, ServerCheck check, GrpcChannel channel, Func<TrustService.TrustServiceClient, CallOptions, AsyncUnaryCall<TResponse>> method,
        CancellationToken cancellation)
    {
        try
        {
            var options = new CallOptions(deadline: check.Time.GetUtcNow().UtcDateTime + Patience, cancellationToken: cancellation);
            using var call = method(new TrustService.TrustServiceClient(channel), options);
            return await call.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException e) when (!cancellation.IsCancellationRequested)
        {
            throw Explain(endpoint, check, e);
        }
    }

    static EnrollmentException Explain(Endpoint endpoint, ServerCheck check, RpcException e)
    {
        if (check.Fault is { } fault) return new EnrollmentException(EnrollmentFailure.NotTrusted, $"`{endpoint}` is not to be trusted: {fault}", e);
        return e.StatusCode switch
        {
            StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Internal or StatusCode.Cancelled or StatusCode.Unknown =>
                new EnrollmentException(EnrollmentFailure.Unreachable, $"`{endpoint}` does not answer: {(e.Status.Detail.Length > 0 ? e.Status.Detail : e.StatusCode)}", e),
            _ => new EnrollmentException(EnrollmentFailure.Refused, $"`{endpoint}` refused: {e.Status.Detail}", e),
        };
    }
}
