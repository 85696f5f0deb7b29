using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Talos.Api.Server;

/// <summary>A connection that another node carries here: to Kestrel as good as a socket, with the caller's own TLS inside.</summary>
sealed class RelayedConnection : DefaultConnectionContext
{
    // LIMIT: what waits for either side before the other is made to wait; two messages of the largest size.
    static readonly PipeOptions Buffering = new(pauseWriterThreshold: 2 * RelayBytes.MaxMessage, resumeWriterThreshold: RelayBytes.MaxMessage, useSynchronizationContext: false);

    readonly Pipe inbound = new(Buffering), outbound = new(Buffering);

    public RelayedConnection(string id, Origin origin)
        : base(id)
    {
        Origin = origin;
        RemoteEndPoint = new IPEndPoint(origin.Source, 0);
        Transport = new Sides(inbound.Reader, outbound.Writer);
    }

    public Origin Origin { get; }

    /// <summary>Takes what the caller sent.</summary>
    public PipeWriter FromCaller => inbound.Writer;

    /// <summary>Gives what the server answers; ends when the server has ended the connection.</summary>
    public PipeReader ToCaller => outbound.Reader;

    public override async ValueTask DisposeAsync()
    {
        await inbound.Reader.CompleteAsync().ConfigureAwait(false);
        await outbound.Writer.CompleteAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    sealed record Sides(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
