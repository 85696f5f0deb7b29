using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Talos.AotSelfTest;

static class TlsCases
{
    const int HybridGroup = 0x11ec; // X25519MLKEM768, draft-ietf-tls-ecdhe-mlkem

    internal static void Run(Cases cases)
    {
        using var authority = Certificates.Authority();
        using var server = Certificates.Leaf("server", authority);
        using var client = Certificates.Leaf("client", authority);

        cases.Run("tls: 1.3 with both certificates, HTTP/2, post-quantum key exchange", () =>
        {
            var outcome = Handshake(server, client);
            Expect.Equal(SslProtocols.Tls13, outcome.Protocol);
            Expect.Equal(SslApplicationProtocol.Http2, outcome.Application);
            Expect.Equal("CN=client", outcome.Client);
            Expect.Equal(HybridGroup, outcome.Group);
        });

        cases.Run("tls: an untrusted server is refused", () =>
            Expect.True(Expect.Throws<AuthenticationException>(() => Handshake(server, client, trustServer: false)).Message.Length > 10));

        cases.Run("tls: 50 handshakes on 8 threads", () =>
            Parallel.For(0, 50, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ => Handshake(server, client)));
    }

    static (SslProtocols Protocol, SslApplicationProtocol Application, string? Client, int Group) Handshake(
        X509Certificate2 server, X509Certificate2 client, bool trustServer = true)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var connecting = new TcpClient();
        connecting.Connect((IPEndPoint)listener.LocalEndpoint);
        using var accepted = listener.AcceptTcpClient();
        using var recorded = new RecordingStream(accepted.GetStream());
        using var serverSide = new SslStream(recorded);
        using var clientSide = new SslStream(connecting.GetStream());
        string? seen = null;

        var serving = serverSide.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = server,
            ClientCertificateRequired = true,
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            RemoteCertificateValidationCallback = (_, certificate, _, _) => (seen = certificate?.Subject) is not null,
        });
        clientSide.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            ClientCertificates = [client],
            RemoteCertificateValidationCallback = (_, _, _, errors) => trustServer || errors == SslPolicyErrors.None,
        });
        serving.Wait();

        var data = new byte[50_000];
        clientSide.Write(data);
        serverSide.ReadExactly(data);
        serverSide.Write(data);
        clientSide.ReadExactly(data);
        return (clientSide.SslProtocol, clientSide.NegotiatedApplicationProtocol, seen, recorded.KeyExchangeGroup());
    }

    /// <summary>Keeps the first bytes that the server sends: they hold the ServerHello in the clear.</summary>
    sealed class RecordingStream(Stream inner) : Stream
    {
        readonly List<byte> _sent = [];

        public override bool CanRead => true;
        public override bool CanWrite => true;
        public override bool CanSeek => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        /// <summary>RFC 8446 §4.1.3: record header (5), handshake header (4), version (2), random (32), session id,
        /// cipher suite (2), compression (1), extensions; key_share (51) starts with the group.</summary>
        internal int KeyExchangeGroup()
        {
            const int KeyShare = 51;
            ReadOnlySpan<byte> rest = _sent.ToArray().AsSpan(5 + 4 + 2 + 32);
            rest = rest[(1 + rest[0] + 2 + 1)..];
            var extensions = rest.Slice(2, BinaryPrimitives.ReadUInt16BigEndian(rest));
            while (extensions.Length > 4)
            {
                var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
                var length = BinaryPrimitives.ReadUInt16BigEndian(extensions[2..]);
                if (type == KeyShare) return BinaryPrimitives.ReadUInt16BigEndian(extensions[4..]);
                extensions = extensions[(4 + length)..];
            }
            return 0;
        }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);
        public override void Flush() => inner.Flush();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count)
        {
            _sent.AddRange(buffer.AsSpan(offset, count));
            inner.Write(buffer, offset, count);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _sent.AddRange(buffer.Span);
            return inner.WriteAsync(buffer, cancellationToken);
        }
    }
}
