using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Talos.Api.Server;

/// <summary>
/// Where connections that other nodes carry come in: a transport of Kestrel's beside its sockets, so that they pass the same gates under the same limits.
/// </summary>
public sealed class RelayDoor : IConnectionListenerFactory, IConnectionListenerFactorySelector, IConnectionListener
{
    // LIMIT: arrivals that Kestrel has not taken up yet; it does so at once unless it is stopping.
    readonly Channel<ConnectionContext> arriving = Channel.CreateBounded<ConnectionContext>(64);

    /// <summary>The address that stands for this door.</summary>
    public EndPoint EndPoint { get; } = new Inside();

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => ReferenceEquals(endpoint, EndPoint);

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => ValueTask.FromResult<IConnectionListener>(this);

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await arriving.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            if (arriving.Reader.TryRead(out var connection)) return connection;
        return null;
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        arriving.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => UnbindAsync();

    /// <summary>False when the server stops or does not keep up.</summary>
    internal bool TryEnter(RelayedConnection connection) => arriving.Writer.TryWrite(connection);

    sealed class Inside : EndPoint
    {
        public override string ToString() => "relay";
    }
}
