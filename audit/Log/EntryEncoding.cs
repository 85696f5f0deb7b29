using System.Text;
using Google.Protobuf;

namespace Talos.Audit;

// Brings an entry into the form whose serialisation by the protobuf library is the canonical one.
static class EntryEncoding
{
    // LIMIT: 16 KiB an entry (tlog-tiles could carry 64): a bundle that is still open must fit into half a journal.
    internal const int MaxBytes = 16 * 1024;

    internal static void Prepare(Entry entry)
    {
        entry.Schema = EntrySchema.Version;
        if (entry.Kind == EntryKind.Unspecified) throw new AuditLogException(AuditLogReason.InvalidEntry, "the entry has no kind");
        if (entry.HasOpenedIndex != (entry.Kind == EntryKind.CallClosed))
            throw new AuditLogException(AuditLogReason.InvalidEntry, "an entry names its opening entry if and only if it closes a call");
        if (entry.RequestDigest.Length is not (0 or TreeHash.Size))
            throw new AuditLogException(AuditLogReason.InvalidEntry, "a request digest has 32 bytes");
        if (entry.Details.Count != 0) Sort(entry);
    }

    static void Sort(Entry entry)
    {
        // MapField keeps the order of insertion, so a sorted insertion is a sorted serialisation.
        (byte[] Key, KeyValuePair<string, string> Pair)[] pairs =
            [.. entry.Details.Select(static pair => (Encoding.UTF8.GetBytes(pair.Key), pair))];
        if (pairs.Any(static p => p.Key.Length == 0)) throw new AuditLogException(AuditLogReason.InvalidEntry, "a detail has no name");
        Array.Sort(pairs, static (a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
        for (int i = 1; i < pairs.Length; i++)
            if (pairs[i].Key.AsSpan().SequenceEqual(pairs[i - 1].Key))
                throw new AuditLogException(AuditLogReason.InvalidEntry, $"two details have the name `{pairs[i].Pair.Key}`");
        entry.Details.Clear();
        foreach ((_, KeyValuePair<string, string> pair) in pairs) entry.Details.Add(pair.Key, pair.Value);
    }

    internal static int SizeOf(Entry entry)
    {
        int size = entry.CalculateSize();
        return size <= MaxBytes
            ? size
            : throw new AuditLogException(AuditLogReason.InvalidEntry, $"the entry has {size} bytes, {MaxBytes} at most can be recorded");
    }
}
