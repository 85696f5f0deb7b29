using System.Buffers.Binary;

namespace Talos.Image;

/// <summary>
/// Reads from an ELF file whether it is what a node runs: 64-bit x86, position independent, without an interpreter (that is,
/// without a dynamic loader), with a stack that is not executable and relocations that become read-only.
/// System V ABI, "Object Files" and "Program Loading".
/// </summary>
static class StaticExecutable
{
    const int HeaderLength = 64;
    const ushort SharedObject = 3, X86_64 = 62;
    const uint Interpreter = 3, GnuStack = 0x6474e551, GnuReadOnlyAfterRelocation = 0x6474e552, Executable = 1;

    /// <summary>What is wrong with the file, as the rest of a sentence that starts with its name; null when nothing is.</summary>
    internal static string? Inspect(string path)
    {
        using var stream = File.OpenRead(path);
        Span<byte> header = stackalloc byte[HeaderLength];
        if (stream.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) < HeaderLength || !header.StartsWith("\u007fELF"u8))
            return "is not an ELF file";
        // EI_CLASS = 64 bit, EI_DATA = little endian
        if (header[4] != 2 || header[5] != 1 || BinaryPrimitives.ReadUInt16LittleEndian(header[18..]) != X86_64) return "is not for x86-64";
        if (BinaryPrimitives.ReadUInt16LittleEndian(header[16..]) != SharedObject) return "is not position independent";

        var offset = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(header[54..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(header[56..]);
        if (size != 56 || offset > (ulong)stream.Length) return "has a malformed program header";
        var segments = new byte[size * count];
        stream.Position = (long)offset;
        if (stream.ReadAtLeast(segments, segments.Length, throwOnEndOfStream: false) < segments.Length) return "is truncated";

        bool stack = false, readOnlyAfterRelocation = false;
        for (var i = 0; i < count; i++)
        {
            var segment = segments.AsSpan(i * size, size);
            var type = BinaryPrimitives.ReadUInt32LittleEndian(segment);
            var flags = BinaryPrimitives.ReadUInt32LittleEndian(segment[4..]);
            if (type == Interpreter) return "is not static: it asks for a dynamic loader";
            if (type == GnuStack && (flags & Executable) != 0) return "has an executable stack";
            stack |= type == GnuStack;
            readOnlyAfterRelocation |= type == GnuReadOnlyAfterRelocation;
        }
        if (!stack) return "does not forbid an executable stack";
        return readOnlyAfterRelocation ? null : "does not protect its relocations";
    }
}
