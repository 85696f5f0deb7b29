using System.Collections.Frozen;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>
/// The serials that this process refuses, in memory, and how old that knowledge is. Whoever learns of revocations replaces the set; connections
/// that came with such a certificate end at once, and calls on them are refused. Thread-safe.
/// </summary>
public sealed class RevocationView
{
    // LIMIT: 1,000,000 serials (about 100 MB); a CA that revokes more than that within a certificate's life needs a rollover instead.
    const int MaxSerials = 1_000_000;

    readonly Lock gate = new();
    readonly bool isSource;
    volatile State? state;

    /// <summary>Of a server that learns of revocations from elsewhere.</summary>
    public RevocationView()
    {
    }

    RevocationView(bool isSource) => this.isSource = isSource;

    /// <summary>Of the server that revokes: what it knows is never old.</summary>
    public static RevocationView OfSource() => new(isSource: true);

    internal event Action<IReadOnlySet<string>>? Revoked;

    /// <summary>The moment for which the set was last known to be all; null before the first.</summary>
    public DateTimeOffset? AsOf => state?.AsOf;

    /// <summary><see cref="RevocationStatus.Unknown"/> until the first set has come.</summary>
    /// <param name="serial">Lower-case hexadecimal.</param>
    public RevocationStatus Check(string serial)
    {
        if (state is not { } known) return RevocationStatus.Unknown;
        return known.Serials.Contains(serial) ? RevocationStatus.Revoked : RevocationStatus.Good;
    }

    /// <summary>How old the knowledge is; null while there is none.</summary>
    public TimeSpan? Age(DateTimeOffset now)
    {
        if (state is not { } known) return null;
        return isSource || now < known.AsOf ? TimeSpan.Zero : now - known.AsOf;
    }

    /// <summary>Sets the whole set.</summary>
    /// <param name="asOf">The moment for which it is all that was revoked.</param>
    public void Replace(IEnumerable<string> revoked, DateTimeOffset asOf)
    {
        var next = revoked.ToFrozenSet(StringComparer.Ordinal);
        if (next.Count > MaxSerials) throw new InvalidOperationException($"more than {MaxSerials} revoked serials");
        lock (gate) state = new State(next, asOf);
        Revoked?.Invoke(next);
    }

    /// <summary>Says that the set is still all that was revoked. Does nothing before the first set.</summary>
    public void Confirm(DateTimeOffset asOf)
    {
        lock (gate)
            if (state is { } known && asOf > known.AsOf) state = known with { AsOf = asOf };
    }

    sealed record State(FrozenSet<string> Serials, DateTimeOffset AsOf);
}
