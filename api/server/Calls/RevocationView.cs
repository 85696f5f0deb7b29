using System.Collections.Frozen;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>
/// The serials that this process refuses, in memory. Whoever learns of revocations replaces or extends the set; connections that
/// came with such a certificate end at once, and calls on them are refused. Thread-safe.
/// </summary>
public sealed class RevocationView
{
    // LIMIT: 1,000,000 serials (about 100 MB); a CA that revokes more than that within a certificate's life needs a rollover instead.
    const int MaxSerials = 1_000_000;

    readonly Lock gate = new();
    volatile FrozenSet<string>? serials;

    internal event Action<IReadOnlySet<string>>? Revoked;

    /// <summary>The change number of the source that the set stands for; 0 before the first.</summary>
    public ulong Sequence { get; private set; }

    /// <summary><see cref="RevocationStatus.Unknown"/> until the first snapshot has come.</summary>
    /// <param name="serial">Lower-case hexadecimal.</param>
    public RevocationStatus Check(string serial)
    {
        if (serials is not { } known) return RevocationStatus.Unknown;
        return known.Contains(serial) ? RevocationStatus.Revoked : RevocationStatus.Good;
    }

    /// <summary>Sets the whole set.</summary>
    public void Replace(ulong sequence, IEnumerable<string> revoked) => Change(sequence, [.. revoked]);

    /// <summary>Adds to the set.</summary>
    public void Add(ulong sequence, IEnumerable<string> revoked)
    {
        lock (gate) Change(sequence, [.. serials ?? [], .. revoked]);
    }

    void Change(ulong sequence, HashSet<string> next)
    {
        if (next.Count > MaxSerials) throw new InvalidOperationException($"more than {MaxSerials} revoked serials");
        FrozenSet<string> now;
        lock (gate)
        {
            now = next.ToFrozenSet(StringComparer.Ordinal);
            serials = now;
            Sequence = sequence;
        }
        Revoked?.Invoke(now);
    }
}
