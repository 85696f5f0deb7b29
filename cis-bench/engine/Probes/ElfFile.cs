using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Talos.Checks.Probes;

[Flags]
enum ElfTraits
{
    None = 0,

    /// <summary>Not an executable: a relocatable object or a core file.</summary>
    Object = 1,
    FixedAddress = 2,
    Interpreter = 4,
    NeedsLibraries = 8,
    NoRelro = 16,
    ExecutableStack = 32,
    WritableCode = 64,
    SearchPath = 128,
    NoCanary = 256,

    /// <summary>Relocations are resolved lazily, so the table stays writable.</summary>
    LazyBinding = 512,
}

/// <summary>
/// What an ELF file's headers say of its hardening. Header at 0: class (4), data (5), type (16), machine (18); program headers of
/// type, flags, offset, address, file size. Little-endian files of 32 and 64 bits.
/// </summary>
static class ElfFile
{
    // LIMIT: the largest real table we know has 14 entries; the format allows 65535.
    const int MaxProgramHeaders = 256;

    // LIMIT: a dynamic section has some 40 entries of 16 bytes.
    const int MaxDynamicBytes = 64 << 10;

    const int PtLoad = 1, PtDynamic = 2, PtInterp = 3, PtGnuStack = 0x6474e551, PtGnuRelro = 0x6474e552;
    const int DtNeeded = 1, DtRpath = 15, DtBindNow = 24, DtRunpath = 29, DtFlags = 30, DtFlags1 = 0x6ffffffb;
    const int EtExec = 2, EtDyn = 3;

    public static bool IsElf(ReadOnlySpan<byte> start) => start is [0x7f, (byte)'E', (byte)'L', (byte)'F', ..];

    /// <summary>Null with a reason when the file claims to be ELF and is not well formed. Says nothing about canaries.</summary>
    public static ElfTraits? Read(SafeFileHandle file, long length, out string trouble)
    {
        trouble = "";
        Span<byte> start = stackalloc byte[64];
        if (RandomAccess.Read(file, start, 0) < start.Length || start[5] != 1 || start[4] is not (1 or 2))
        {
            trouble = "it is no little-endian ELF file";
            return null;
        }
        var type = BinaryPrimitives.ReadUInt16LittleEndian(start[16..]);
        if (type is not (EtExec or EtDyn)) return ElfTraits.Object;
        var wide = start[4] == 2;
        var table = wide ? BinaryPrimitives.ReadUInt64LittleEndian(start[32..]) : BinaryPrimitives.ReadUInt32LittleEndian(start[28..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(start[(wide ? 54 : 42)..]), count = BinaryPrimitives.ReadUInt16LittleEndian(start[(wide ? 56 : 44)..]);
        if (count > MaxProgramHeaders || size != (wide ? 56 : 32) || !TryRead(file, length, table, (ulong)(size * count), out var headers))
        {
            trouble = "its program headers lie outside the file";
            return null;
        }
        var traits = (type == EtExec ? ElfTraits.FixedAddress : 0) | ElfTraits.NoRelro | ElfTraits.ExecutableStack;
        for (var i = 0; i < count; i++)
        {
            var header = headers.AsSpan(i * size, size);
            var kind = BinaryPrimitives.ReadInt32LittleEndian(header);
            var flags = BinaryPrimitives.ReadInt32LittleEndian(header[(wide ? 4 : 24)..]);
            if (kind == PtInterp) traits |= ElfTraits.Interpreter;
            if (kind == PtGnuRelro) traits &= ~ElfTraits.NoRelro;
            if (kind == PtGnuStack && (flags & 1) == 0) traits &= ~ElfTraits.ExecutableStack;
            if (kind == PtLoad && (flags & 3) == 3) traits |= ElfTraits.WritableCode;
            if (kind != PtDynamic) continue;
            var offset = wide ? BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            var bytes = wide ? BinaryPrimitives.ReadUInt64LittleEndian(header[32..]) : BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
            if (bytes > MaxDynamicBytes || !TryRead(file, length, offset, bytes, out var section))
            {
                trouble = "its dynamic section lies outside the file";
                return null;
            }
            traits |= ReadDynamic(section, wide);
        }
        return traits;
    }

    static bool TryRead(SafeFileHandle file, long length, ulong offset, ulong count, out byte[] bytes)
    {
        bytes = [];
        if (offset > (ulong)length || count > (ulong)length - offset) return false;
        bytes = new byte[count];
        return RandomAccess.Read(file, bytes, (long)offset) == bytes.Length;
    }

    static ElfTraits ReadDynamic(ReadOnlySpan<byte> section, bool wide)
    {
        var (traits, lazy) = (ElfTraits.None, true);
        for (var width = wide ? 8 : 4; section.Length >= 2 * width; section = section[(2 * width)..])
        {
            var tag = wide ? BinaryPrimitives.ReadInt64LittleEndian(section) : BinaryPrimitives.ReadInt32LittleEndian(section);
            var value = wide ? BinaryPrimitives.ReadInt64LittleEndian(section[8..]) : BinaryPrimitives.ReadInt32LittleEndian(section[4..]);
            if (tag == 0) break;
            if (tag == DtNeeded) traits |= ElfTraits.NeedsLibraries;
            if (tag is DtRpath or DtRunpath) traits |= ElfTraits.SearchPath;
            if (tag == DtBindNow || tag == DtFlags && (value & 8) != 0 || tag == DtFlags1 && (value & 1) != 0) lazy = false;
        }
        return lazy && (traits & ElfTraits.NeedsLibraries) != 0 ? traits | ElfTraits.LazyBinding : traits;
    }

    // A stripped static executable has no symbol left; on x86-64 the guard is read from %fs:0x28, an address that nothing else uses.
    public static bool HasCanary(ReadOnlySpan<byte> file)
    {
        if (file.IndexOf("__stack_chk_fail"u8) >= 0) return true;
        ReadOnlySpan<byte> guard = [0x25, 0x28, 0x00, 0x00, 0x00];
        for (var rest = file; rest.IndexOf(guard) is >= 0 and var at; rest = rest[(at + 1)..])
            if (at >= 4 && rest[at - 4] == 0x64 && rest[at - 3] is 0x48 or 0x4c) return true;
        return false;
    }
}
