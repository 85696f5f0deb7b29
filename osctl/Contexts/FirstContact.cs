using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Osctl.Nodes;
using Talos.Pki;

namespace Talos.Osctl.Contexts;

/// <summary>
/// How someone who knows nothing but a token comes to trust a cluster. Over a connection that is not believed, trustd proves that it knows the
/// token's discovery key by an HMAC over a fresh nonce and its certificates; the token's secret itself goes only over a connection that
/// those certificates then verify.
/// </summary>
static class FirstContact
{
    const int NonceBytes = 32;

    /// <summary>Gives the certificates to trust, PEM.</summary>
    public static async Task<(TrustStore Trust, string Pem)> DiscoverAsync(Invocation invocation, Endpoint trustd, TokenSecret token)
    {
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        using var connection = PeerConnection.Unverified(trustd, invocation.Terminal.Time);
        var answer = await invocation.RequireAsync(connection, (c, options) => c.Trust().CABundleAsync(new CABundleRequest { TokenId = token.Id, Nonce = ByteString.CopyFrom(nonce) }, options));
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, token.Discovery().Span);
        hmac.AppendData(nonce);
        hmac.AppendData(Encoding.UTF8.GetBytes(answer.BundlePem));
        if (!CryptographicOperations.FixedTimeEquals(hmac.GetHashAndReset(), answer.Authenticator.Span))
            throw new OsctlException($"whoever answers at {trustd} does not know this token", "is the address right, and the token of this cluster?", ExitCode.NodeFailed);
        if (!TrustStore.Parse(Encoding.UTF8.GetBytes(answer.BundlePem)).Is(out var trust, out var failure)) throw new OsctlException($"trustd's certificates: {failure}", failure.Hint, ExitCode.NodeFailed);
        return (trust, answer.BundlePem);
    }
}
