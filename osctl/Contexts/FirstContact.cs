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
/// token's discovery key by an HMAC over a fresh nonce and its certificates; the token's secret itself goes out only after those certificates
/// have verified the server of the connection.
/// </summary>
static class FirstContact
{
    const int NonceBytes = 32;

    /// <summary>Gives a connection to the trustd that knows the token, verified; its credentials hold the certificates to trust.</summary>
    public static async Task<PeerConnection> ConnectAsync(Invocation invocation, Endpoint trustd, TokenSecret token)
    {
        var connection = PeerConnection.ToUnprovenTrustd(trustd, invocation.Terminal.Time);
        try
        {
            var trust = await DiscoverAsync(invocation, connection, token);
            if (connection.Believes(trust)) return connection;
            var failure = CallFailure.NotBelieved(connection, connection.Refusal!);
            throw new OsctlException(failure.Message, failure.Hint, ExitCode.NodeFailed);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    static async Task<TrustStore> DiscoverAsync(Invocation invocation, PeerConnection connection, TokenSecret token)
    {
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        var answer = await invocation.RequireAsync(connection, (c, options) => c.Trust().CABundleAsync(new CABundleRequest { TokenId = token.Id, Nonce = ByteString.CopyFrom(nonce) }, options));
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, token.Discovery().Span);
        hmac.AppendData(nonce);
        hmac.AppendData(Encoding.UTF8.GetBytes(answer.BundlePem));
        if (!CryptographicOperations.FixedTimeEquals(hmac.GetHashAndReset(), answer.Authenticator.Span))
            throw new OsctlException($"whoever answers at {connection.Endpoint} does not know this token", "is the address right, and the token of this cluster?", ExitCode.NodeFailed);
        if (!TrustStore.Parse(Encoding.UTF8.GetBytes(answer.BundlePem)).Is(out var trust, out var failure)) throw new OsctlException($"trustd's certificates: {failure}", failure.Hint, ExitCode.NodeFailed);
        return trust;
    }
}
