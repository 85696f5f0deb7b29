using Google.Protobuf;
using Google.Protobuf.Reflection;
using Xunit;

namespace Talos.Audit.Tests;

public sealed class CanonicalEntryTests
{
    static readonly byte[] s_raw = MemoryRecord.Calls(2, "node-1")[1];

    [Fact]
    public void Accepts_a_table_that_agrees_with_the_schema() => Compare(EntrySchema.Entry, Entry.Descriptor);

    static void Compare(FieldShape[] shape, MessageDescriptor message)
    {
        Assert.Equal(message.Fields.InFieldNumberOrder().Select(static f => f.FieldNumber), Enumerable.Range(1, shape.Length - 1));
        foreach (FieldDescriptor field in message.Fields.InFieldNumberOrder())
        {
            FieldShape mine = shape[field.FieldNumber];
            Assert.Equal(field.IsRepeated || field.IsMap, mine.Repeated);
            FieldForm[] allowed = field.FieldType switch
            {
                FieldType.UInt32 => [FieldForm.UnsignedInteger32],
                FieldType.UInt64 => field.HasPresence ? [FieldForm.PresentInteger64] : [FieldForm.UnsignedInteger64],
                FieldType.Int64 => [FieldForm.Time],
                FieldType.Bool => [FieldForm.Boolean],
                FieldType.Enum => [FieldForm.Enumeration],
                FieldType.String => [FieldForm.Text],
                FieldType.Bytes => [FieldForm.Bytes],
                FieldType.Message => field.IsMap ? [FieldForm.Map] : [FieldForm.Message],
                _ => [],
            };
            Assert.Contains(mine.Form, allowed);
            if (field.FieldType == FieldType.Enum) Assert.Equal(field.EnumType.Values.Max(static v => v.Number), mine.Limit);
            if (field.FieldType == FieldType.Message) Compare(mine.Message!, field.MessageType);
        }
    }

    [Fact]
    public void Accepts_what_the_library_writes_for_any_content()
    {
        Random random = new(3);
        for (int round = 0; round < 5000; round++)
        {
            Entry entry = RandomEntry(random);
            EntryEncoding.Prepare(entry);
            byte[] raw = entry.ToByteArray();
            Assert.Null(CanonicalEntry.Check(raw));
            Assert.Equal(raw, Entry.Parser.ParseFrom(raw).ToByteArray());
        }
    }

    // The log puts an entry together from pieces: they have to be what the library writes in one go.
    [Fact]
    public void Is_laid_out_in_a_commit_as_the_library_writes_it()
    {
        Random random = new(4);
        for (int round = 0; round < 5000; round++)
        {
            Entry entry = RandomEntry(random);
            EntryEncoding.Prepare(entry);
            Moment moment = new(entry.WallTimeUnixNanos, entry.MonotonicNanos);
            byte[] stamp = new Entry { Node = entry.Node, BootId = entry.BootId, Attestation = entry.Attestation }.ToByteArray(), whole = entry.ToByteArray();
            if (random.Next(2) == 0) entry.Caller?.Freeze();
            AppendBatch batch = new(null, 0);
            batch.Add(EntryEncoding.Encode(entry, out int head), head, moment, stamp);
            Assert.Equal(whole, batch.Payload[2..].ToArray());
            Assert.Equal(2 + whole.Length, batch.Payload.Length);
        }
    }

    static Entry RandomEntry(Random random)
    {
        EntryKind kind = (EntryKind)random.Next(1, 20);
        Entry entry = new()
        {
            Kind = kind,
            WallTimeUnixNanos = random.NextInt64(1, long.MaxValue),
            MonotonicNanos = (ulong)random.NextInt64(),
            Node = Text(),
            BootId = ByteString.CopyFrom(Enumerable.Range(1, 16).Select(static i => (byte)i).ToArray()),
            Attestation = (Attestation)random.Next(5),
            Method = Text(),
            Message = Text(),
        };
        if (kind == EntryKind.CallClosed) entry.OpenedIndex = random.Next(3) == 0 ? 0 : (ulong)random.NextInt64();
        if (random.Next(2) == 0) entry.Caller = new Caller { Name = Text(), Roles = { Text(), Text() }, Serial = Text(), SourceAddress = Text(), ForwardedBy = { Text() } };
        if (random.Next(2) == 0) entry.RequestDigest = ByteString.CopyFrom(new byte[32]);
        if (random.Next(2) == 0) entry.Decision = new Decision { Effect = (Effect)random.Next(3), Rule = Text(), Reason = Text() };
        if (random.Next(2) == 0) entry.Outcome = new Outcome { Status = Text(), DurationNanos = (ulong)random.NextInt64(5) };
        for (int i = random.Next(3); i > 0; i--) entry.Fields.Add(new LoggedField { Path = Text(), Value = Text(), Masked = random.Next(2) == 0 });
        for (int i = random.Next(6); i > 0; i--) entry.Details["k" + Text()] = Text();
        return entry;

        string Text() => random.Next(4) == 0 ? "" : string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => char.ConvertFromUtf32(random.Next(3) switch
        {
            0 => random.Next(0x20, 0x7f),
            1 => random.Next(0xe000, 0xfffd),
            _ => random.Next(0x10000, 0x10ffff),
        })));
    }

    // A change that still reads as the same entry would let one record have two hashes.
    [Fact]
    public void Rejects_every_other_encoding_of_the_same_entry()
    {
        Entry entry = Entry.Parser.ParseFrom(s_raw);
        Assert.Null(CanonicalEntry.Check(s_raw));
        for (int at = 0; at <= s_raw.Length; at++)
        {
            for (int b = 0; b < 256; b++)
            {
                byte[] inserted = [.. s_raw[..at], (byte)b, .. s_raw[at..]];
                if (Reads(inserted) is { } other && other.Equals(entry))
                {

                    Assert.NotNull(CanonicalEntry.Check(inserted));
                }
                if (at == s_raw.Length || s_raw[at] == b) continue;
                byte[] changed = [.. s_raw];
                changed[at] = (byte)b;
                if (CanonicalEntry.Check(changed) is null) Assert.Equal(changed, Reads(changed)!.ToByteArray());
            }
        }
        // Appended fields, in particular, that the library merges or keeps as unknown.
        Assert.Contains("unknown field 17", CanonicalEntry.Check([.. s_raw, 0x88, 0x01, 0x01]), StringComparison.Ordinal);
        Assert.Contains("out of order", CanonicalEntry.Check([.. s_raw, 0x08, 0x01]), StringComparison.Ordinal);
    }

    static Entry? Reads(byte[] raw)
    {
        try
        {
            return Entry.Parser.ParseFrom(raw);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    [Fact]
    public void Rejects_entries_that_cannot_be_recorded()
    {
        Assert.Equal(AuditLogReason.InvalidEntry, Assert.Throws<AuditLogException>(() => EntryEncoding.Prepare(new Entry())).Reason);
        Assert.Throws<AuditLogException>(() => EntryEncoding.Prepare(new Entry { Kind = EntryKind.CallClosed }));
        Assert.Throws<AuditLogException>(() => EntryEncoding.Prepare(new Entry { Kind = EntryKind.Boot, OpenedIndex = 1 }));
        Assert.Throws<AuditLogException>(() => EntryEncoding.Prepare(new Entry { Kind = EntryKind.Boot, Details = { [""] = "x" } }));
    }

    // Whatever comes last, one byte more than there is room for is refused, and what just fits is written as the library writes it.
    [Fact]
    public void Takes_an_entry_up_to_its_limit_and_no_further()
    {
        Func<int, Entry>[] shapes =
        [
            static n => new Entry { Message = new string('x', n) },
            static n => new Entry { Message = new string('\u20ac', n) },
            static n => new Entry { Method = new string('x', n), RequestDigest = ByteString.CopyFrom(new byte[32]) },
            static n => new Entry { Method = new string('x', n), Message = "m" },
            static n => new Entry { Method = new string('x', n), Decision = new Decision { Effect = Effect.Deny, Reason = new string('y', 126) } },
            static n => new Entry { Method = new string('x', n), Outcome = new Outcome { DurationNanos = ulong.MaxValue } },
            static n => new Entry { Caller = new Caller { Name = "n", Roles = { "", new string('x', n) } } },
            static n => new Entry { Method = new string('x', n), Caller = new Caller { Name = "n" }.Freeze() },
            static n => new Entry { Details = { ["k"] = new string('x', n), ["l"] = "" } },
            static n => new Entry { Fields = { new LoggedField { Path = new string('x', n), Masked = true } } },
        ];
        foreach (Func<int, Entry> shape in shapes)
        {
            int refused = 0, taken = 0;
            for (int n = 16_000 / (shape(1).Message is "\u20ac" ? 3 : 1); refused == 0 || taken == 0 || refused < 20; n++)
            {
                Entry entry = shape(n);
                entry.Kind = EntryKind.Boot;
                EntryEncoding.Prepare(entry);
                byte[] whole = entry.ToByteArray();
                if (whole.Length <= EntryEncoding.MaxBytes)
                {
                    Assert.Equal(whole, EntryEncoding.Encode(entry, out _).ToArray());
                    taken++;
                    continue;
                }
                Assert.Equal(AuditLogReason.InvalidEntry, Assert.Throws<AuditLogException>(() => EntryEncoding.Encode(entry, out _)).Reason);
                refused++;
            }
        }
    }

    [Fact]
    public void Writes_half_a_character_as_the_library_does()
    {
        Entry entry = new() { Kind = EntryKind.Boot, Message = "a\ud800b\udc00" };
        EntryEncoding.Prepare(entry);
        Assert.Equal(entry.ToByteArray(), EntryEncoding.Encode(entry, out _).ToArray());
    }
}
