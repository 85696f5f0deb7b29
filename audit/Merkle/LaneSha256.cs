using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Talos.Audit;

// SHA-256 (FIPS 180-4 §6.2) of eight messages side by side, one in each 32-bit lane. The tree hashes millions of messages of one or two
// hundred bytes, for which a call into the platform's library costs several times the hashing itself. No secrets are hashed here.
static class LaneSha256
{
    internal const int Lanes = 8;
    internal const int BlockBytes = 64;

    internal static bool IsSupported => Avx2.IsSupported;

    static readonly uint[] s_k =
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    static ReadOnlySpan<uint> Initial =>
        [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

    // Blocks that a message of this length takes with its padding.
    internal static int BlocksOf(int length) => (length + 9 + BlockBytes - 1) / BlockBytes;

    // Writes the padding behind a message that lies at the start of its blocks.
    internal static void Pad(Span<byte> blocks, int length)
    {
        blocks[length] = 0x80;
        blocks[(length + 1)..^8].Clear();
        BinaryPrimitives.WriteUInt64BigEndian(blocks[^8..], (ulong)length * 8);
    }

    // `messages` holds eight padded messages, `stride` bytes apart; `blocks` says how many blocks each has. Hash i goes to hashes[32 i].
    internal static void Hash(ReadOnlySpan<byte> messages, int stride, ReadOnlySpan<int> blocks, Span<byte> hashes)
    {
        Span<Vector256<uint>> state = stackalloc Vector256<uint>[8];
        for (int i = 0; i < 8; i++) state[i] = Vector256.Create(Initial[i]);
        int most = 0;
        foreach (int count in blocks) most = Math.Max(most, count);
        for (int block = 0; block < most; block++)
        {
            Compress(state, messages[(block * BlockBytes)..], stride);
            for (int lane = 0; lane < blocks.Length; lane++)
                if (blocks[lane] == block + 1) Extract(state, lane, hashes.Slice(lane * TreeHash.Size, TreeHash.Size));
        }
    }

    static void Extract(ReadOnlySpan<Vector256<uint>> state, int lane, Span<byte> hash)
    {
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<Vector256<uint>, uint>(state);
        for (int i = 0; i < 8; i++) BinaryPrimitives.WriteUInt32BigEndian(hash[(4 * i)..], words[(8 * i) + lane]);
    }

    static void Compress(Span<Vector256<uint>> state, ReadOnlySpan<byte> data, int stride)
    {
        Span<Vector256<uint>> w = stackalloc Vector256<uint>[16];
        Load(data, stride, w[..8]);
        Load(data[32..], stride, w[8..]);

        Vector256<uint> a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
        for (int i = 0; i < 64; i += 8)
        {
            if (i >= 16) Schedule(w, i & 15);
            ReadOnlySpan<Vector256<uint>> words = w.Slice(i & 15, 8);
            ReadOnlySpan<uint> k = s_k.AsSpan(i, 8);
            Round(a, b, c, ref d, e, f, g, ref h, words[0] + Vector256.Create(k[0]));
            Round(h, a, b, ref c, d, e, f, ref g, words[1] + Vector256.Create(k[1]));
            Round(g, h, a, ref b, c, d, e, ref f, words[2] + Vector256.Create(k[2]));
            Round(f, g, h, ref a, b, c, d, ref e, words[3] + Vector256.Create(k[3]));
            Round(e, f, g, ref h, a, b, c, ref d, words[4] + Vector256.Create(k[4]));
            Round(d, e, f, ref g, h, a, b, ref c, words[5] + Vector256.Create(k[5]));
            Round(c, d, e, ref f, g, h, a, ref b, words[6] + Vector256.Create(k[6]));
            Round(b, c, d, ref e, f, g, h, ref a, words[7] + Vector256.Create(k[7]));
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Round(
        Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, ref Vector256<uint> d,
        Vector256<uint> e, Vector256<uint> f, Vector256<uint> g, ref Vector256<uint> h, Vector256<uint> wk)
    {
        Vector256<uint> t = h + (Rotate(e, 6) ^ Rotate(e, 11) ^ Rotate(e, 25)) + ((e & f) ^ Vector256.AndNot(g, e)) + wk;
        d += t;
        h = t + (Rotate(a, 2) ^ Rotate(a, 13) ^ Rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    }

    // The next eight words of the message schedule, in place.
    static void Schedule(Span<Vector256<uint>> w, int from)
    {
        for (int i = from; i < from + 8; i++)
        {
            Vector256<uint> older = w[(i + 1) & 15], newer = w[(i + 14) & 15];
            w[i] += (Rotate(older, 7) ^ Rotate(older, 18) ^ (older >>> 3)) + w[(i + 9) & 15]
                + (Rotate(newer, 17) ^ Rotate(newer, 19) ^ (newer >>> 10));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<uint> Rotate(Vector256<uint> x, int n) => (x >>> n) | (x << (32 - n));

    // Eight big-endian words of each message, turned so that vector i holds word i of all of them.
    static void Load(ReadOnlySpan<byte> data, int stride, Span<Vector256<uint>> w)
    {
        Vector256<uint> r0 = Row(data), r1 = Row(data[stride..]), r2 = Row(data[(2 * stride)..]), r3 = Row(data[(3 * stride)..]);
        Vector256<uint> r4 = Row(data[(4 * stride)..]), r5 = Row(data[(5 * stride)..]), r6 = Row(data[(6 * stride)..]), r7 = Row(
            data[(7 * stride)..]);
        Vector256<ulong> p0 = Avx2.UnpackLow(r0, r1).AsUInt64(), p1 = Avx2.UnpackHigh(r0, r1).AsUInt64();
        Vector256<ulong> p2 = Avx2.UnpackLow(r2, r3).AsUInt64(), p3 = Avx2.UnpackHigh(r2, r3).AsUInt64();
        Vector256<ulong> p4 = Avx2.UnpackLow(r4, r5).AsUInt64(), p5 = Avx2.UnpackHigh(r4, r5).AsUInt64();
        Vector256<ulong> p6 = Avx2.UnpackLow(r6, r7).AsUInt64(), p7 = Avx2.UnpackHigh(r6, r7).AsUInt64();
        Vector256<uint> q0 = Avx2.UnpackLow(p0, p2).AsUInt32(), q1 = Avx2.UnpackHigh(p0, p2).AsUInt32();
        Vector256<uint> q2 = Avx2.UnpackLow(p1, p3).AsUInt32(), q3 = Avx2.UnpackHigh(p1, p3).AsUInt32();
        Vector256<uint> q4 = Avx2.UnpackLow(p4, p6).AsUInt32(), q5 = Avx2.UnpackHigh(p4, p6).AsUInt32();
        Vector256<uint> q6 = Avx2.UnpackLow(p5, p7).AsUInt32(), q7 = Avx2.UnpackHigh(p5, p7).AsUInt32();
        w[0] = Avx2.Permute2x128(q0, q4, 0x20);
        w[1] = Avx2.Permute2x128(q1, q5, 0x20);
        w[2] = Avx2.Permute2x128(q2, q6, 0x20);
        w[3] = Avx2.Permute2x128(q3, q7, 0x20);
        w[4] = Avx2.Permute2x128(q0, q4, 0x31);
        w[5] = Avx2.Permute2x128(q1, q5, 0x31);
        w[6] = Avx2.Permute2x128(q2, q6, 0x31);
        w[7] = Avx2.Permute2x128(q3, q7, 0x31);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<uint> Row(ReadOnlySpan<byte> data) => Avx2.Shuffle(Vector256.Create(data[..32]), s_swap).AsUInt32();

    static readonly Vector256<byte> s_swap = Vector256.Create(
        (byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}
