namespace Talos.Audit;

/// <summary>
/// Where an exporter delivers to. Delivery is two steps: entries are sent, then committed. Only what was committed counts as received;
/// after any failure the exporter sends again from the last commit.
/// </summary>
public abstract class AuditSink : IAsyncDisposable
{
    private protected AuditSink()
    {
    }

    /// <summary>Where it delivers to, for messages and metrics.</summary>
    public abstract string Target { get; }

    /// <summary>
    /// Sends entries; nothing of them counts as delivered yet. Throws what <see cref="AuditExporter"/> takes for a failure of the receiver.
    /// </summary>
    public abstract ValueTask SendAsync(IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken);

    /// <summary>On return the receiver has everything that was sent.</summary>
    public abstract ValueTask CommitAsync(CancellationToken cancellationToken);

    /// <summary>Forgets what was sent and not committed.</summary>
    public abstract void Reset();

    /// <inheritdoc />
    public abstract ValueTask DisposeAsync();
}
