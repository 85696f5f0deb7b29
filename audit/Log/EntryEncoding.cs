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
        if (IsSorted(entry.Details)) return;
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

    // False also where it is not obvious: beyond ASCII, characters are ordered otherwise than their octets.
    static bool IsSorted(IDictionary<string, string> details)
    {
        string before = "";
        foreach (KeyValuePair<string, string> detail in details)
        {
            if (!Ascii.IsValid(detail.Key) || string.CompareOrdinal(before, detail.Key) >= 0) return false;
            before = detail.Key;
        }
        return true;
    }

    [ThreadStatic]
    static byte[]? t_buffer;

    // A prepared entry without fields 4 to 8, which the log sets itself behind the first `head` bytes. Valid until this thread encodes another.
    internal static ReadOnlySpan<byte> Encode(Entry entry, out int head)
    {
        EntryWriter writer = new(t_buffer ??= new byte[MaxBytes]);
        writer.Number(EntrySchema.Schema, entry.Schema);
        writer.Number(EntrySchema.Kind, (ulong)entry.Kind);
        if (entry.HasOpenedIndex) writer.PresentNumber(EntrySchema.Opened, entry.OpenedIndex);
        head = writer.Length;
        if (entry.Caller is { } caller) Write(ref writer, caller);
        writer.Text(EntrySchema.Method, entry.Method);
        writer.Bytes(Entry.RequestDigestFieldNumber, entry.RequestDigest.Span);
        foreach (LoggedField field in entry.Fields) Write(ref writer, field);
        if (entry.Decision is { } decision) Write(ref writer, decision);
        if (entry.Outcome is { } outcome) Write(ref writer, outcome);
        if (entry.Details.Count != 0) foreach (KeyValuePair<string, string> detail in entry.Details) Write(ref writer, detail);
        writer.Text(Entry.MessageFieldNumber, entry.Message);
        if (writer.IsFull)
            throw new AuditLogException(AuditLogReason.InvalidEntry, $"the entry has more than {MaxBytes} bytes, which is the most that can be recorded");
        return t_buffer.AsSpan(0, writer.Length);
    }

    static void Write(ref EntryWriter writer, Caller caller)
    {
        if (caller.Encoded is { } encoded)
        {
            writer.Raw(encoded);
            return;
        }
        int start = writer.Begin(Entry.CallerFieldNumber);
        writer.Text(Caller.NameFieldNumber, caller.Name);
        foreach (string role in caller.Roles) writer.PresentText(Caller.RolesFieldNumber, role);
        writer.Text(Caller.SerialFieldNumber, caller.Serial);
        writer.Text(Caller.SpiffeUriFieldNumber, caller.SpiffeUri);
        writer.Text(Caller.SourceAddressFieldNumber, caller.SourceAddress);
        foreach (string node in caller.ForwardedBy) writer.PresentText(Caller.ForwardedByFieldNumber, node);
        writer.End(start);
    }

    static void Write(ref EntryWriter writer, LoggedField field)
    {
        int start = writer.Begin(Entry.FieldsFieldNumber);
        writer.Text(LoggedField.PathFieldNumber, field.Path);
        writer.Text(LoggedField.ValueFieldNumber, field.Value);
        writer.Number(LoggedField.MaskedFieldNumber, field.Masked ? 1u : 0);
        writer.End(start);
    }

    static void Write(ref EntryWriter writer, Decision decision)
    {
        int start = writer.Begin(Entry.DecisionFieldNumber);
        writer.Number(Decision.EffectFieldNumber, (ulong)decision.Effect);
        writer.Text(Decision.RuleFieldNumber, decision.Rule);
        writer.Text(Decision.BundleRevisionFieldNumber, decision.BundleRevision);
        writer.Text(Decision.ReasonIdFieldNumber, decision.ReasonId);
        writer.Text(Decision.ReasonFieldNumber, decision.Reason);
        writer.End(start);
    }

    static void Write(ref EntryWriter writer, Outcome outcome)
    {
        int start = writer.Begin(Entry.OutcomeFieldNumber);
        writer.Text(Outcome.StatusFieldNumber, outcome.Status);
        writer.Number(Outcome.DurationNanosFieldNumber, outcome.DurationNanos);
        writer.Text(Outcome.MessageFieldNumber, outcome.Message);
        writer.End(start);
    }

    static void Write(ref EntryWriter writer, KeyValuePair<string, string> detail)
    {
        int start = writer.Begin(Entry.DetailsFieldNumber);
        writer.Text(1, detail.Key);
        writer.Text(2, detail.Value);
        writer.End(start);
    }

    // Bytes of fields 1 to 3, each behind a tag of one byte.
    internal static int HeadOf(Entry entry) =>
        1 + CodedOutputStream.ComputeUInt32Size(entry.Schema) + 1 + CodedOutputStream.ComputeEnumSize((int)entry.Kind)
        + (entry.HasOpenedIndex ? 1 + CodedOutputStream.ComputeUInt64Size(entry.OpenedIndex) : 0);
}
