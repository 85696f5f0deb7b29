using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;

namespace Talos.Policy;

/// <summary>CIDR blocks; nothing here reaches the network.</summary>
static class NetBuiltins
{
    // LIMIT: addresses that cidr_expand may list.
    const int MaxExpansion = 1 << 20;

    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("net.cidr_contains", (n, a) =>
        {
            Block outer = Block.Parse(Operand.Text(n, 1));
            return Value.From(outer.Contains(Block.ParseAddressOrBlock(Operand.Text(a, 2))));
        }),
        Builtin.Of("net.cidr_overlap", (n, a) => Value.From(Block.Parse(Operand.Text(n, 1)).Contains(Block.ParseAddressOrBlock(Operand.Text(a, 2))))),
        Builtin.Of("net.cidr_intersects", (a, b) => Value.From(Block.Parse(Operand.Text(a, 1)).Intersects(Block.Parse(Operand.Text(b, 2))))),
        Builtin.Of("net.cidr_is_valid", v => Value.From(v is StringValue s && Block.TryParse(s.Text) is not null)),
        Builtin.Of("net.cidr_expand", v => Expand(Block.Parse(Operand.Text(v, 1)))),
        Builtin.Of("net.cidr_merge", Merge),
        Builtin.Of("net.cidr_contains_matches", ContainsMatches),
    ];

    /// <summary>First and last address of a block, as numbers.</summary>
    readonly record struct Block(bool V6, BigInteger First, BigInteger Last)
    {
        public bool Contains(Block other) => V6 == other.V6 && First <= other.First && other.Last <= Last;

        public bool Intersects(Block other) => V6 == other.V6 && First <= other.Last && other.First <= Last;

        public static Block Parse(string text) => TryParse(text) ?? throw new BuiltinException($"invalid CIDR address: {text}");

        public static Block ParseAddressOrBlock(string text)
        {
            if (TryParse(text) is { } block) return block;
            if (ParseAddress(text) is { } address)
            {
                BigInteger n = Number(address);
                return new Block(address.AddressFamily == AddressFamily.InterNetworkV6, n, n);
            }
            throw new BuiltinException($"invalid CIDR address: {text}");
        }

        public static Block? TryParse(string text)
        {
            int slash = text.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0 || ParseAddress(text[..slash]) is not { } address) return null;
            string length = text[(slash + 1)..];
            int bits = address.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32;
            if (!int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out int prefix) || prefix > bits || (length.Length > 1 && length[0] == '0')) return null;
            BigInteger size = BigInteger.One << (bits - prefix), first = Number(address) / size * size;
            return new Block(bits == 128, first, first + size - 1);
        }
    }

    static IPAddress? ParseAddress(string text)
    {
        if (text.Contains('%', StringComparison.Ordinal) || text.Contains('[', StringComparison.Ordinal)) return null;
        if (!text.Contains(':', StringComparison.Ordinal))
        {
            // Only four decimal numbers without leading zeros; the platform would take more.
            string[] parts = text.Split('.');
            if (parts.Length != 4 || parts.Any(p => p.Length is 0 or > 3 || !p.All(char.IsAsciiDigit) || (p.Length > 1 && p[0] == '0'))) return null;
        }
        return IPAddress.TryParse(text, out IPAddress? address) ? address : null;
    }

    static BigInteger Number(IPAddress address) => new(address.GetAddressBytes(), true, true);

    static string Text(BigInteger number, bool v6)
    {
        var bytes = new byte[v6 ? 16 : 4];
        byte[] raw = number.ToByteArray(true, true);
        raw.CopyTo(bytes.AsSpan(bytes.Length - raw.Length));
        return new IPAddress(bytes).ToString();
    }

    static SetValue Expand(Block block)
    {
        if (block.Last - block.First >= MaxExpansion) throw Evaluation.Limit("cidr_expand");
        var addresses = new List<Value>();
        for (BigInteger a = block.First; a <= block.Last; a++) addresses.Add(Value.From(Text(a, block.V6)));
        return SetValue.From(addresses);
    }

    static SetValue Merge(Value v)
    {
        var blocks = new List<Block>();
        foreach (string text in Operand.Strings(v, 1))
        {
            if (Block.TryParse(text) is { } block)
            {
                blocks.Add(block);
                continue;
            }
            if (ParseAddress(text) is not { } address) throw new BuiltinException($"invalid CIDR address: {text}");
            if (address.AddressFamily == AddressFamily.InterNetworkV6) throw new BuiltinException("IPv6 invalid: needs prefix length");
            // An address alone stands for the block of its class.
            int first = address.GetAddressBytes()[0];
            int prefix = first < 128 ? 8 : first < 192 ? 16 : 24;
            blocks.Add(Block.Parse($"{text}/{prefix}"));
        }
        var merged = new List<Value>();
        foreach (IGrouping<bool, Block> family in blocks.GroupBy(b => b.V6))
        {
            Block? open = null;
            foreach (Block next in family.OrderBy(b => b.First).ThenBy(b => b.Last))
            {
                if (open is { } o && next.First <= o.Last + 1) open = o with { Last = BigInteger.Max(o.Last, next.Last) };
                else
                {
                    if (open is { } done) Cover(done, merged);
                    open = next;
                }
            }
            if (open is { } last) Cover(last, merged);
        }
        return SetValue.From(merged);
    }

    // A range as the fewest blocks.
    static void Cover(Block range, List<Value> into)
    {
        int bits = range.V6 ? 128 : 32;
        for (BigInteger at = range.First; at <= range.Last;)
        {
            int free = at.IsZero ? bits : Math.Min(bits, TrailingZeros(at));
            while (at + (BigInteger.One << free) - 1 > range.Last) free--;
            into.Add(Value.From($"{Text(at, range.V6)}/{bits - free}"));
            at += BigInteger.One << free;
        }
    }

    static int TrailingZeros(BigInteger n)
    {
        int zeros = 0;
        while ((n & 1).IsZero)
        {
            n >>= 1;
            zeros++;
        }
        return zeros;
    }

    static SetValue ContainsMatches(Value blocks, Value addresses)
    {
        (Value Key, string Text)[] xs = [.. Items(blocks, 1)], ys = [.. Items(addresses, 2)];
        (Value Key, Block Block)[] outer = [.. xs.Select(x => (x.Key, Block.ParseAddressOrBlock(x.Text)))];
        (Value Key, Block Block)[] inner = [.. ys.Select(y => (y.Key, Block.ParseAddressOrBlock(y.Text)))];
        return SetValue.From([.. outer.SelectMany(o => inner.Where(i => o.Block.Contains(i.Block)).Select(i => new ArrayValue(o.Key, i.Key)))]);
    }

    static IEnumerable<(Value, string)> Items(Value v, int position)
    {
        switch (v)
        {
            case StringValue s:
                return [(s, s.Text)];
            case ArrayValue a:
                return a.Items.Select((item, i) => (Value.From(i), First(item, position)));
            case SetValue s:
                return s.Members.Sorted.Select(m => (m, First(m, position)));
            case ObjectValue o:
                return o.Pairs.Select(p => (p.Key, First(p.Value, position)));
            default:
                throw BuiltinException.Type(position, v, "string", "array", "set", "object");
        }
    }

    // A block may come with data behind it: `["10.0.0.0/8", "name"]`.
    static string First(Value v, int position) => v switch
    {
        StringValue s => s.Text,
        ArrayValue { Items: [StringValue s, ..] } => s.Text,
        ArrayValue => throw new BuiltinException($"operand {position}: element must be string or non-empty array"),
        _ => throw new BuiltinException($"operand {position}: element must be string or non-empty array"),
    };
}
