using System.Globalization;

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

    /// <summary>First and last address of a block, and the one that was written before the slash.</summary>
    readonly record struct Block(UInt128 First, UInt128 Last, UInt128 Written)
    {
        public bool Contains(Block other) => First <= other.First && other.Last <= Last && IsV4 == other.IsV4;

        public bool Intersects(Block other) => First <= other.Last && other.First <= Last && IsV4 == other.IsV4;

        public bool IsV4 => GoAddress.IsV4(First) && GoAddress.IsV4(Last);

        public static Block Parse(string text) => TryParse(text) ?? throw new BuiltinException($"invalid CIDR address: {text}");

        public static Block ParseAddressOrBlock(string text)
        {
            if (GoAddress.Parse(text) is { } address && GoAddress.Number(address) is var n) return new Block(n, n, n);
            return TryParse(text) ?? throw new BuiltinException($"not a valid textual representation of an IP address or CIDR: {text}");
        }

        public static Block? TryParse(string text)
        {
            int slash = text.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0 || GoAddress.Parse(text[..slash]) is not { } address) return null;
            int bits = address.Length * 8;
            if (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int prefix) || prefix > bits) return null;
            return Of(GoAddress.Number(address), bits - prefix);
        }

        public static Block Of(UInt128 address, int free)
        {
            UInt128 rest = free >= 128 ? UInt128.MaxValue : (UInt128.One << free) - 1;
            return new Block(address & ~rest, address | rest, address);
        }
    }

    static SetValue Expand(Block block)
    {
        if (block.Last - block.First >= MaxExpansion) throw Evaluation.Limit("cidr_expand");
        var addresses = new List<Value>();
        for (UInt128 a = block.First; ; a++)
        {
            addresses.Add(Value.From(GoAddress.Format(a)));
            if (a == block.Last) return SetValue.From(addresses);
        }
    }

    static SetValue Merge(Value v)
    {
        if (v is not (ArrayValue or SetValue)) throw new BuiltinException("operand must be an array");
        var blocks = new List<Block>();
        foreach (Value item in Operand.ArrayOrSet(v, 1))
        {
            if (item is not StringValue { Text: var text }) throw new BuiltinException("element must be string");
            if (GoAddress.Parse(text) is not { } address) blocks.Add(Block.Parse(text));
            else if (GoAddress.Number(address) is var n && !GoAddress.IsV4(n)) throw new BuiltinException("IPv6 invalid: needs prefix length");
            // An address alone stands for the block of its class.
            else blocks.Add(Block.Of(n, (byte)((uint)n >> 24) switch { < 128 => 24, < 192 => 16, _ => 8 }));
        }
        var merged = new List<Value>();
        Block? open = null;
        foreach (Block next in blocks.OrderBy(b => b.First).ThenBy(b => b.Last))
        {
            if (open is { } o && (next.First <= o.Last || next.First - 1 == o.Last))
            {
                open = new Block(o.First, UInt128.Max(o.Last, next.Last), o.First);
                continue;
            }
            if (open is { } done) Cover(done, merged);
            open = next;
        }
        if (open is { } last) Cover(last, merged);
        return SetValue.From(merged);
    }

    // A range as the fewest blocks; one that was merged with no other keeps the address it was written with.
    static void Cover(Block range, List<Value> into)
    {
        int bits = range.IsV4 ? 32 : 128;
        for (UInt128 at = range.First; ;)
        {
            int free = Math.Min(bits, (int)UInt128.TrailingZeroCount(at));
            while (free > 0 && Block.Of(at, free).Last > range.Last) free--;
            Block block = Block.Of(at, free);
            into.Add(Value.From($"{GoAddress.Format(block == range with { Written = at } ? range.Written : at)}/{bits - free}"));
            if (block.Last == range.Last) return;
            at = block.Last + 1;
        }
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
