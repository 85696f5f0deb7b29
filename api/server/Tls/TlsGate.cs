using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Talos.Api.Server;

/// <summary>
/// Kestrel's connection middleware: makes the TLS 1.3 handshake, knows whom it was made with, and tells why it failed.
/// Kestrel's own HTTPS middleware swallows that reason, and validates with the platform's chain builder.
/// </summary>
sealed partial class TlsGate(
    TrustSlot slot, ClientCertificates mode, ApiLimits limits, LiveConnections connections, PeerCheck peers, HandshakeRecord record, TimeProvider time)
{
    public ConnectionDelegate Wrap(ConnectionDelegate next) => connection => AcceptAsync(connection, next);

    async Task AcceptAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var origin = Origin.Of(connection);
        using var seat = connections.TryEnter(origin.Seen, connection);
        if (seat is null)
        {
            record.Failed(origin, HandshakeFailure.TooManyConnections, $"the source holds {limits.ConnectionsPerSource} connections already");
            return;
        }
        var transport = connection.Transport;
        var stream = new TransportStream(transport);
        await using (stream.ConfigureAwait(false))
        {
            var tls = new SslStream(stream, leaveInnerStreamOpen: true);
            await using (tls.ConfigureAwait(false))
            {
                var attempt = new Handshake();
                if (!await ShakeHandsAsync(connection, tls, attempt).ConfigureAwait(false))
                {
                    record.Failed(origin, attempt.Failure, attempt.Detail, attempt.Subject);
                    return;
                }
                seat.Serial = attempt.Peer?.Serial;
                connection.Features.Set(new Caller(attempt.Peer, origin));
                connection.Features.Set(seat);
                connection.Features.Set<ITlsConnectionFeature>(EncryptedConnection.Instance);
                connection.Features.Set<ITlsApplicationProtocolFeature>(EncryptedConnection.Instance);
                await ServeAsync(connection, tls, next).ConfigureAwait(false);
                connection.Transport = transport;
            }
        }
    }

    static async Task ServeAsync(ConnectionContext connection, SslStream tls, ConnectionDelegate next)
    {
        var decrypted = new TlsTransport(tls, connection.Features.Get<IMemoryPoolFeature>()?.MemoryPool);
        // The pipes are completed before the stream below them is disposed: a pending write would find it gone.
        await using (decrypted.ConfigureAwait(false))
        {
            connection.Transport = decrypted;
            await next(connection).ConfigureAwait(false);
        }
    }

    /// <summary>True when the handshake is done; otherwise <paramref name="attempt"/> says why it is not.</summary>
    async Task<bool> ShakeHandsAsync(ConnectionContext connection, SslStream tls, Handshake attempt)
    {
        using var patience = new CancellationTokenSource(limits.Handshake, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, connection.ConnectionClosed);
        try
        {
            if (!await StartsLikeTlsAsync(connection, attempt, linked.Token).ConfigureAwait(false)) return false;
            await tls.AuthenticateAsServerAsync(
                (_, _, _, _) => new(OptionsFor(attempt)), null, linked.Token).ConfigureAwait(false);
            // A client certificate is checked in the callback; a handshake that ends without one having been asked for is a bug.
            if (attempt.Peer is null && mode == ClientCertificates.Required)
                throw new InvalidOperationException("the handshake ended without a client certificate");
            if (tls.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2) return true;
            // RFC 9113 §3.3: HTTP/2 over TLS is agreed by ALPN, never assumed.
            attempt.Fail(HandshakeFailure.Protocol, "the peer did not ask for HTTP/2");
        }
        catch (OperationCanceledException)
        {
            if (patience.IsCancellationRequested)
                attempt.Fail(HandshakeFailure.Timeout, string.Create(CultureInfo.InvariantCulture, $"the handshake did not end within {limits.Handshake.TotalSeconds:0} s"));
            else attempt.Fail(HandshakeFailure.Aborted, "the peer went away before the handshake ended");
        }
        catch (AuthenticationException e)
        {
            FailFromLibrary(attempt, e.GetBaseException().Message);
        }
        catch (Exception e) when (e is IOException or ConnectionResetException or ConnectionAbortedException)
        {
            attempt.Fail(HandshakeFailure.Aborted, "the peer closed the connection");
        }
        return false;
    }

    // The TLS library tells its reasons only in words; OpenSSL's are those of `openssl errstr` and have not changed since 1.0.
    static void FailFromLibrary(Handshake attempt, string words)
    {
        if (words.Contains("unsupported protocol", StringComparison.Ordinal)) attempt.Fail(HandshakeFailure.TlsVersion, "the peer does not offer TLS 1.3");
        else attempt.Fail(HandshakeFailure.Protocol, words);
    }

    /// <summary>RFC 8446 §5.1: a TLS connection begins with a handshake record, content type 22. Looks without consuming.</summary>
    static async Task<bool> StartsLikeTlsAsync(ConnectionContext connection, Handshake attempt, CancellationToken cancellation)
    {
        const byte handshakeRecord = 22;
        var read = await connection.Transport.Input.ReadAsync(cancellation).ConfigureAwait(false);
        var isEmpty = read.Buffer.IsEmpty;
        var first = isEmpty ? (byte)0 : read.Buffer.FirstSpan[0];
        connection.Transport.Input.AdvanceTo(read.Buffer.Start);
        if (isEmpty) attempt.Fail(HandshakeFailure.Aborted, "the peer closed the connection without a word");
        else if (first != handshakeRecord) attempt.Fail(HandshakeFailure.NotTls, "the peer does not speak TLS");
        return !isEmpty && first == handshakeRecord;
    }
}
