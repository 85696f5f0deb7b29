using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Configuration;
using Talos.Api.Relay.V1;

namespace Talos.Osctl.Nodes;

/// <summary>A connection to a node that another node carries; TLS to the node runs inside.</summary>
sealed class CarriedStream : Stream
{
    // LIMIT: what the contract lets a message carry.
    const int MaxMessage = 32 << 10;

    readonly AsyncDuplexStreamingCall<ConnectRequest, Carried> _call;
    ReadOnlyMemory<byte> _unread;
    Task<bool>? _reading;
    Task _parting = Task.CompletedTask;
    int _isParting;

    CarriedStream(AsyncDuplexStreamingCall<ConnectRequest, Carried> call) => _call = call;

    /// <summary>Returns when the node at the end has taken the connection.</summary>
    /// <exception cref="NotCarriedException">The carrier refused, or could not reach the node.</exception>
    public static async Task<CarriedStream> OpenAsync(PeerConnection carrier, Endpoint node, CancellationToken cancellation)
    {
        // The token is for opening alone; what ends the connection later is its disposal.
        var call = carrier.Relay().Connect(cancellationToken: CancellationToken.None);
        try
        {
            using var giveUp = cancellation.Register(call.Dispose);
            await call.RequestStream.WriteAsync(new ConnectRequest { Node = node.ToString() }, cancellation).ConfigureAwait(false);
            if (await call.ResponseStream.MoveNext(cancellation).ConfigureAwait(false)) return new CarriedStream(call);
            throw new IOException($"{carrier.Endpoint} ended the connection to {node} before it began");
        }
        catch (RpcException e)
        {
            call.Dispose();
            cancellation.ThrowIfCancellationRequested();
            throw new NotCarriedException(carrier, e);
        }
        catch
        {
            call.Dispose();
            throw;
        }
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // A read of nothing asks whether something is there.
        while (_unread.IsEmpty)
        {
            try
            {
                if (Volatile.Read(ref _isParting) != 0) return 0;
                // Without the token: what comes after a read that was given up would be lost.
                _reading ??= _call.ResponseStream.MoveNext(CancellationToken.None);
                var isMore = await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
                _reading = null;
                if (!isMore) return 0;
            }
            catch (RpcException e)
            {
                throw new IOException(e.Status.Detail, e);
            }
            _unread = _call.ResponseStream.Current.Data.Memory;
        }
        var length = Math.Min(buffer.Length, _unread.Length);
        _unread[..length].CopyTo(buffer);
        _unread = _unread[length..];
        return length;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var length = Math.Min(buffer.Length, MaxMessage);
            try
            {
                await _call.RequestStream.WriteAsync(new ConnectRequest { Data = ByteString.CopyFrom(buffer.Span[..length]) }, cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException e)
            {
                throw new IOException(e.Status.Detail, e);
            }
            buffer = buffer[length..];
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
        // Each write is sent when it is made.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Returns when the nodes have ended their sides too, so that their records say of the call that it ended, not that it was broken off.</summary>
    public Task PartedAsync() => _parting;

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isParting, 1) == 0) _parting = PartAsync();
        base.Dispose(disposing);
    }

    async Task PartAsync()
    {
        try
        {
            await _call.RequestStream.CompleteAsync().ConfigureAwait(false);
            while (await (_reading ?? _call.ResponseStream.MoveNext(CancellationToken.None)).ConfigureAwait(false)) _reading = null;
        }
        catch (Exception e) when (e is RpcException or IOException or InvalidOperationException)
        {
            // It was broken off after all, by the carrier or by the command's own end.
        }
        finally
        {
            _call.Dispose();
        }
    }
}

/// <summary>The carrier did not carry; its own words are in the call.</summary>
sealed class NotCarriedException(PeerConnection carrier, RpcException call) : IOException(call.Status.Detail, call)
{
    public PeerConnection Carrier { get; } = carrier;

    public RpcException Call { get; } = call;
}
