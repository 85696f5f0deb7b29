using System.Buffers.Binary;

namespace Talos.Checks.Tests;

/// <summary>Makes small ELF64 executables with the traits that a test wants; the default is a hardened static-PIE.</summary>
sealed record ElfSample
{
    public ushort Type { get; init; } = 3;
    public bool Interpreter { get; init; }
    public bool NeedsLibrary { get; init; }
    public bool BindNow { get; init; } = true;
    public bool RunPath { get; init; }
    public bool Relro { get; init; } = true;
    public bool StackHeader { get; init; } = true;
    public bool ExecutableStack { get; init; }
    public bool WritableCode { get; init; }
    public bool Canary { get; init; } = true;
    public string Content { get; init; } = "";

    public byte[] ToBytes()
    {
        var headers = new List<(int Type, int Flags, long Offset, long Size)> { (1, WritableCode ? 7 : 5, 0, 4096), (2, 6, 2048, 96) };
        if (Interpreter) headers.Add((3, 4, 3000, 27));
        if (Relro) headers.Add((0x6474e552, 4, 2048, 64));
        if (StackHeader) headers.Add((0x6474e551, ExecutableStack ? 7 : 6, 0, 0));
        var file = new byte[4096];
        ReadOnlySpan<byte> ident = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        ident.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(16), Type);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(18), 62);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(32), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(54), 56);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(56), (ushort)headers.Count);
        for (var i = 0; i < headers.Count; i++)
        {
            var at = file.AsSpan(64 + 56 * i);
            BinaryPrimitives.WriteInt32LittleEndian(at, headers[i].Type);
            BinaryPrimitives.WriteInt32LittleEndian(at[4..], headers[i].Flags);
            BinaryPrimitives.WriteInt64LittleEndian(at[8..], headers[i].Offset);
            BinaryPrimitives.WriteInt64LittleEndian(at[32..], headers[i].Size);
        }
        var dynamic = new List<(long Tag, long Value)>();
        if (NeedsLibrary) dynamic.Add((1, 1));
        if (RunPath) dynamic.Add((29, 1));
        if (BindNow) dynamic.Add((0x6ffffffb, 1));
        for (var i = 0; i < dynamic.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(2048 + 16 * i), dynamic[i].Tag);
            BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(2056 + 16 * i), dynamic[i].Value);
        }
        // mov %fs:0x28,%rax: how a function reads the guard of its stack.
        if (Canary) ((ReadOnlySpan<byte>)[0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0]).CopyTo(file.AsSpan(3500));
        System.Text.Encoding.ASCII.GetBytes(Content).CopyTo(file, 3600);
        return file;
    }
}
