using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Talos.Api.Server;

/// <summary>The decrypted side of a connection, as Kestrel's HTTP/2 reads and writes it.</summary>
sealed class TlsTransport : IDuplexPipe, IAsyncDisposable
{
    const int BufferBytes = 4096;

    public TlsTransport(SslStream tls, MemoryPool<byte>? pool)
    {
        // useZeroByteReads: an idle connection holds no buffer.
        Input = PipeReader.Create(tls, new StreamPipeReaderOptions(pool, BufferBytes, BufferBytes / 2, leaveOpen: true, useZeroByteReads: true));
        Output = PipeWriter.Create(tls, new StreamPipeWriterOptions(pool, BufferBytes, leaveOpen: true));
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    public async ValueTask DisposeAsync()
    {
        await Input.CompleteAsync().ConfigureAwait(false);
        await Output.CompleteAsync().ConfigureAwait(false);
    }
}

/// <summary>Tells Kestrel that the connection is encrypted and speaks HTTP/2. The certificate stays with the gate.</summary>
sealed class EncryptedConnection : ITlsConnectionFeature, ITlsApplicationProtocolFeature
{
    public static readonly EncryptedConnection Instance = new();

    public ReadOnlyMemory<byte> ApplicationProtocol => SslApplicationProtocol.Http2.Protocol;

    public X509Certificate2? ClientCertificate { get => null; set => throw new NotSupportedException(); }

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult<X509Certificate2?>(null);
}
