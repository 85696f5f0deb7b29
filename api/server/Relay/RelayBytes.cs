using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Relay.V1;

namespace Talos.Api.Server;

/// <summary>Carries bytes between gRPC streams and pipes; each direction ends by itself.</summary>
static class RelayBytes
{
    // LIMIT: two TLS records (RFC 8446 §5.1); more would only wait in one more buffer.
    public const int MaxMessage = 32 << 10;

    /// <summary>Until the caller ends its side, or nobody reads any more.</summary>
    public static async Task ReceiveAsync(IAsyncStreamReader<AcceptRequest> from, PipeWriter to, CancellationToken cancellation)
    {
        while (await from.MoveNext(cancellation).ConfigureAwait(false))
        {
            var data = Bounded(from.Current.Data);
            var flushed = await to.WriteAsync(data.Memory, cancellation).ConfigureAwait(false);
            if (flushed.IsCompleted) return;
        }
    }

    /// <summary>Until the server ends the connection.</summary>
    public static async Task SendAsync(PipeReader from, IServerStreamWriter<Carried> to, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await from.ReadAsync(cancellation).ConfigureAwait(false);
            var left = read.Buffer;
            while (!left.IsEmpty)
            {
                var part = left.Slice(0, Math.Min(left.Length, MaxMessage));
                await to.WriteAsync(new Carried { Data = ByteString.CopyFrom(part.ToArray()) }, cancellation).ConfigureAwait(false);
                left = left.Slice(part.End);
            }
            from.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return;
        }
    }

    /// <exception cref="RefusalException">It is larger than a message may be.</exception>
    public static ByteString Bounded(ByteString data) => data.Length <= MaxMessage
        ? data
        : throw new RefusalException(RefusalReason.InvalidRequest, $"a message carries at most {MaxMessage} bytes");
}
