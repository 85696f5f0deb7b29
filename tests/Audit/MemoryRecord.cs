using System.Text;
using Google.Protobuf;

namespace Talos.Audit.Tests;

// The files of a log in memory, so that a case of tampering costs no disk.
sealed class MemoryFiles() : TileStore("/nowhere")
{
    public Dictionary<string, byte[]> Files { get; private init; } = [];

    internal override void Write(string relative, ReadOnlySpan<byte> data) => Files[relative] = data.ToArray();

    internal override byte[]? TryRead(string relative) => Files.GetValueOrDefault(relative);

    // Arrays are shared: whoever alters one replaces it.
    public MemoryFiles Copy() => new() { Files = new Dictionary<string, byte[]>(Files) };
}

// A record made of entries whose clocks and calls are in order, signed as the log would sign it.
sealed class MemoryRecord
{
    public required List<byte[]> Entries { get; init; }

    public required MemoryFiles Files { get; init; }

    public required string Note { get; init; }

    public static MemoryRecord Sign(List<byte[]> entries, CheckpointSigner signer)
    {
        MemoryFiles files = new();
        TreeBuilder folder = new(files);
        foreach (byte[] entry in entries) folder.Append(entry);
        string note = AuditCheckpoint.Sign(signer.Key.Name, (ulong)entries.Count, folder.Root(), signer).Note;
        folder.Finish(note);
        return new MemoryRecord { Entries = entries, Files = files, Note = note };
    }

    // Calls that open and close, 10 ms apart, two boots.
    public static List<byte[]> Calls(int count, string node)
    {
        List<byte[]> entries = [];
        for (int i = 0; i < count; i++)
        {
            bool second = i >= count / 2;
            Entry entry = new()
            {
                Schema = 1,
                Kind = i % 2 == 0 ? EntryKind.CallOpened : EntryKind.CallClosed,
                WallTimeUnixNanos = 1_800_000_000_000_000_000 + (i * 10_000_000L),
                MonotonicNanos = (ulong)(5_000_000_000 + ((second ? i - (count / 2) : i) * 10_000_000L)),
                Node = node,
                BootId = ByteString.CopyFrom(Enumerable.Repeat((byte)(second ? 2 : 1), 16).ToArray()),
                Method = i / 2 % 3 == 0 ? "/talos.machine.v1.MachineService/Version" : "/talos.machine.v1.MachineService/Reboot",
                Caller = new Caller { Name = $"user-{i / 2 % 7}", Roles = { "os:reader" }, Serial = (i / 2).ToString("x8", System.Globalization.CultureInfo.InvariantCulture) },
            };
            if (entry.Kind == EntryKind.CallClosed)
            {
                entry.OpenedIndex = (ulong)i - 1;
                entry.Decision = new Decision { Effect = Effect.Allow, Rule = "reader" };
                entry.Outcome = new Outcome { Status = "OK", DurationNanos = 1234 };
            }
            entries.Add(entry.ToByteArray());
        }
        return entries;
    }

    public static byte[] Alter(byte[] raw, Action<Entry> change)
    {
        Entry entry = Entry.Parser.ParseFrom(raw);
        change(entry);
        return entry.ToByteArray();
    }

    public AuditVerification Verify(NoteVerifierKey key, params string[] known) => Verify(Files, key, known);

    public static AuditVerification Verify(MemoryFiles files, NoteVerifierKey key, params string[] known) =>
        new VerificationRun(files, new AuditVerifierOptions { LogKeys = [key], KnownCheckpoints = known, Threads = 1 }).Run();

    public static byte[] Bundle(IEnumerable<byte[]> entries)
    {
        using MemoryStream bundle = new();
        foreach (byte[] entry in entries)
        {
            bundle.WriteByte((byte)(entry.Length >> 8));
            bundle.WriteByte((byte)entry.Length);
            bundle.Write(entry);
        }
        return bundle.ToArray();
    }

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
