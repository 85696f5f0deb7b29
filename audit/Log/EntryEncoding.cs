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
        if (entry.Details.Count == 1 && !entry.Details.ContainsKey("")) return;
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

    [ThreadStatic]
    static byte[]? t_buffer;

    // A prepared entry without what the log sets itself, which goes behind the first `head` bytes. Valid until this thread encodes another.
    internal static ReadOnlySpan<byte> Encode(Entry entry, out int head)
    {
        entry.WallTimeUnixNanos = 0;
        entry.MonotonicNanos = 0;
        entry.Node = "";
        entry.BootId = ByteString.Empty;
        entry.Attestation = Attestation.Unspecified;
        head = HeadOf(entry);
        if (entry.Caller?.Encoded is not { } caller)
        {
            Span<byte> whole = Buffer(SizeOf(entry));
            entry.WriteTo(whole);
            return whole;
        }

        Caller frozen = entry.Caller;
        entry.Caller = null;
        int rest = SizeOf(entry);
        Span<byte> encoded = Buffer(Within(rest + caller.Length));
        entry.WriteTo(encoded[..rest]);
        entry.Caller = frozen;
        encoded[head..rest].CopyTo(encoded[(head + caller.Length)..]);
        caller.CopyTo(encoded[head..]);
        return encoded;
    }

    static Span<byte> Buffer(int size) => (t_buffer ??= new byte[MaxBytes]).AsSpan(0, size);

    // Bytes of fields 1 to 3, each behind a tag of one byte.
    internal static int HeadOf(Entry entry) =>
        1 + CodedOutputStream.ComputeUInt32Size(entry.Schema) + 1 + CodedOutputStream.ComputeEnumSize((int)entry.Kind)
        + (entry.HasOpenedIndex ? 1 + CodedOutputStream.ComputeUInt64Size(entry.OpenedIndex) : 0);

    internal static int SizeOf(Entry entry) => Within(entry.CalculateSize());

    static int Within(int size) => size <= MaxBytes
        ? size
        : throw new AuditLogException(AuditLogReason.InvalidEntry, $"the entry has {size} bytes, {MaxBytes} at most can be recorded");
}
