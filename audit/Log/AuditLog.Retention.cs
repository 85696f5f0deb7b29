using System.Globalization;
using System.Text;

namespace Talos.Audit;

/// <summary>How long a log keeps its entries. Both limits are checked; whichever asks for more removal wins.</summary>
public sealed class AuditRetention
{
    /// <summary>Entries older than this go; null keeps them.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>Entry bundles may take this many bytes on disk; null for any number.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>Entries from this index on stay whatever the limits say: what an exporter has not delivered yet.</summary>
    public ulong KeepFrom { get; init; } = ulong.MaxValue;
}

public sealed partial class AuditLog
{
    ulong _firstIndex;

    /// <summary>Index of the first entry that is still here.</summary>
    public ulong FirstIndex => Volatile.Read(ref _firstIndex);

    /// <summary>
    /// Removes what the policy no longer keeps, in whole segments of 256 entries, and returns the index of the first entry that stays. The
    /// removal is an entry itself; a signed statement says from where on the log is complete, and what remains still verifies.
    /// </summary>
    public async ValueTask<ulong> RetainAsync(AuditRetention policy, CancellationToken cancellationToken = default)
    {
        ulong first = FirstToKeep(policy, PublishNow().Size);
        if (first <= FirstIndex) return FirstIndex;

        Entry entry = new() { Kind = EntryKind.Retention, Message = "old entries are removed under the retention policy" };
        entry.Details.Add("first_kept", first.ToString(CultureInfo.InvariantCulture));
        entry.Details.Add("removed", (first - FirstIndex).ToString(CultureInfo.InvariantCulture));
        await AppendAsync(entry, cancellationToken).ConfigureAwait(false);
        AuditCheckpoint checkpoint = PublishNow();
        lock (_publishGate)
        {
            ulong from = FirstIndex;
            if (first <= from) return from;
            RetentionStatement statement = new(first, checkpoint.Size, checkpoint.RootHash.ToArray());
            _store.Replace(RetentionStatement.FileName, Encoding.UTF8.GetBytes(statement.Sign(Origin, _options.Signer)));
            Volatile.Write(ref _firstIndex, first);
            Remove(from, first);
            return first;
        }
    }

    ulong FirstToKeep(AuditRetention policy, ulong size)
    {
        ulong end = Math.Min(size, policy.KeepFrom) / TilePath.Width;
        ulong first = FirstIndex / TilePath.Width;
        if (policy.MaxBytes is { } bytes)
        {
            ulong keep = end;
            for (; keep > first && bytes > 0; keep--) bytes -= new FileInfo(_store.PathOf(TilePath.Entries(keep - 1))).Length;
            first = Math.Max(first, bytes >= 0 ? keep : Math.Min(end, keep + 1));
        }
        if (policy.MaxAge is { } age)
        {
            long cutoff = UnixNanos(_time.GetUtcNow() - age);
            while (first < end && Read((first * TilePath.Width) + TilePath.Width - 1, 1).First().Entry.WallTimeUnixNanos < cutoff) first++;
        }
        return first * TilePath.Width;
    }

    // Bundles, and the full tiles that lie below the first entry altogether (tlog-tiles, "Pruning").
    void Remove(ulong from, ulong first)
    {
        for (ulong bundle = from / TilePath.Width; bundle < first / TilePath.Width; bundle++) _store.Delete(TilePath.Entries(bundle));
        for (int level = 0; first >> (TilePath.Height * (level + 1)) != 0; level++)
        {
            int shift = TilePath.Height * (level + 1);
            for (ulong tile = from >> shift; tile < first >> shift; tile++) _store.Delete(TilePath.Hashes(level, tile));
        }
    }

    void RecoverRetention()
    {
        if (_store.TryRead(RetentionStatement.FileName) is not { } bytes) return;
        if (!RetentionStatement.TryVerify(
                Encoding.UTF8.GetString(bytes), [Key, .. _options.FormerKeys], Origin, out RetentionStatement? statement, out string error))
            throw new AuditLogException(AuditLogReason.Damaged, $"the retention statement does not verify: {error}");
        _firstIndex = statement.FirstIndex;
        // A crash may have left a part of what was to go: it goes upwards, so what is left ends at the first index.
        ulong left = _firstIndex;
        while (left > 0 && File.Exists(_store.PathOf(TilePath.Entries((left / TilePath.Width) - 1)))) left -= TilePath.Width;
        if (left != _firstIndex) Remove(left, _firstIndex);
    }
}
