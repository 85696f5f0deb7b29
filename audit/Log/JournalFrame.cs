using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Talos.Audit;

// What one group commit writes, in little-endian order:
//   0  u32  magic "TAJ1"
//   4  u32  CRC-32C of everything after this field, padding excluded
//   8  u32  length of the payload
//  12  u32  number of entries
//  16  u64  index of the first entry
//  24  u64  nonce of this turn of the file
//  32       payload: entries, each behind its length in 16 big-endian bits, as in an entry bundle; padded to 64 bytes
// The nonce is random, the same in all frames of one turn: bytes left from an earlier turn, or chosen by a caller, never pass for a frame.
static class JournalFrame
{
    internal const int HeaderBytes = 32;
    internal const int Alignment = 64;
    const uint Magic = 0x314A4154;

    internal static int Padded(int frameBytes) => (frameBytes + Alignment - 1) & -Alignment;

    // `frame` holds header space and payload; its padding must be inside the array too.
    internal static void Seal(Span<byte> frame, int frameBytes, int count, ulong firstIndex, ulong nonce)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(frame[8..], frameBytes - HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(frame[12..], count);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[16..], firstIndex);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[24..], nonce);
        frame[frameBytes..Padded(frameBytes)].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Checksum(frame[8..frameBytes]));
    }

    internal readonly record struct Header(int PayloadBytes, int Count, ulong FirstIndex, ulong Nonce, uint Checksum);

    internal static bool TryHeader(ReadOnlySpan<byte> data, out Header header)
    {
        header = default;
        if (data.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(data) != Magic) return false;
        int payload = BinaryPrimitives.ReadInt32LittleEndian(data[8..]);
        int count = BinaryPrimitives.ReadInt32LittleEndian(data[12..]);
        ulong first = BinaryPrimitives.ReadUInt64LittleEndian(data[16..]);
        if (payload <= 0 || count <= 0 || first > MerkleTree.MaxSize) return false;
        ulong nonce = BinaryPrimitives.ReadUInt64LittleEndian(data[24..]);
        header = new Header(payload, count, first, nonce, BinaryPrimitives.ReadUInt32LittleEndian(data[4..]));
        return true;
    }

    // The frame at the start of `data`, when it is whole.
    internal static bool IsWhole(ReadOnlySpan<byte> data, Header header) =>
        header.PayloadBytes <= data.Length - HeaderBytes && Checksum(data[8..(HeaderBytes + header.PayloadBytes)]) == header.Checksum;

    static uint Checksum(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (ulong word in words) crc = BitOperations.Crc32C(
            crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        foreach (byte rest in data[(words.Length * 8)..]) crc = BitOperations.Crc32C(crc, rest);
        return ~crc;
    }
}
