using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace Talos.Audit;

/// <summary>An entry that is on disk under its index. Only the log makes one.</summary>
public sealed class AuditReceipt
{
    internal AuditReceipt(ulong index, ReadOnlyMemory<byte> leafHash)
    {
        Index = index;
        LeafHash = leafHash;
    }

    /// <summary>Index of the entry in the log.</summary>
    public ulong Index { get; }

    /// <summary>RFC 6962 leaf hash of the entry's canonical bytes.</summary>
    public ReadOnlyMemory<byte> LeafHash { get; }
}

/// <summary>An entry with its index and its exact bytes.</summary>
public sealed class AuditRecord
{
    AuditRecord(ulong index, ReadOnlyMemory<byte> raw, Entry entry)
    {
        Index = index;
        Raw = raw;
        Entry = entry;
    }

    /// <summary>Index of the entry in its log.</summary>
    public ulong Index { get; }

    /// <summary>The bytes that the tree hashes.</summary>
    public ReadOnlyMemory<byte> Raw { get; }

    /// <summary>What they say.</summary>
    public Entry Entry { get; }

    /// <summary>Reads canonical entry bytes, as the log and its API hand them out. The error says what is wrong with them.</summary>
    public static bool TryParse(ulong index, ReadOnlyMemory<byte> raw, [NotNullWhen(true)] out AuditRecord? record, out string error)
    {
        record = null;
        if (CanonicalEntry.Check(raw.Span) is { } defect)
        {
            error = defect;
            return false;
        }
        record = new AuditRecord(index, raw, Entry.Parser.ParseFrom(raw.Span));
        error = "";
        return true;
    }
}
