namespace Talos.Audit;

/// <summary>
/// Where an exporter delivers to. Delivery is two steps: entries are sent, then committed. Only what was committed counts as received; after
/// any failure the exporter sends again from the last commit.
/// </summary>
public abstract class AuditSink : IAsyncDisposable
{
    private protected AuditSink()
    {
    }

    /// <summary>Where it delivers to, for messages and metrics.</summary>
    public abstract string Target { get; }

    internal abstract ValueTask SendAsync(IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken);

    // On return the receiver has everything that was sent.
    internal abstract ValueTask CommitAsync(CancellationToken cancellationToken);

    // Forgets what was sent and not committed.
    internal abstract void Reset();

    /// <inheritdoc />
    public abstract ValueTask DisposeAsync();
}
