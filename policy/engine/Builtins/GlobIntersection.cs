using System.Collections;

namespace Talos.Policy;

/// <summary>
/// Whether two simple patterns (literals, `.`, `[…]`, with `*`, `+`, `?`) have a text in common: a walk over the product of both.
/// </summary>
static class GlobIntersection
{
    // LIMIT: tokens in one pattern; the walk visits at most their product.
    const int MaxTokens = 2000;

    readonly record struct Item(BitArray? Set, bool Optional, bool Repeats);

    public static bool NonEmpty(string a, string b)
    {
        Item[] x = Parse(a), y = Parse(b);
        var seen = new HashSet<(int, int)>();
        var open = new Stack<(int, int)>();
        open.Push((0, 0));
        while (open.TryPop(out (int I, int J) at))
        {
            if (!seen.Add(at)) continue;
            (int i, int j) = at;
            if (i == x.Length && j == y.Length) return true;
            if (i < x.Length && x[i].Optional) open.Push((i + 1, j));
            if (j < y.Length && y[j].Optional) open.Push((i, j + 1));
            if (i == x.Length || j == y.Length || !Meet(x[i].Set, y[j].Set)) continue;
            open.Push((i + 1, j + 1));
            if (x[i].Repeats) open.Push((i, j + 1));
            if (y[j].Repeats) open.Push((i + 1, j));
            if (x[i].Repeats && y[j].Repeats) open.Push((i, j));
        }
        return false;
    }

    // Null stands for any character.
    static bool Meet(BitArray? a, BitArray? b) => a is null || b is null || Enumerable.Range(0, a.Length).Any(k => a[k] && b[k]);

    static Item[] Parse(string pattern)
    {
        if (pattern.Length > MaxTokens) throw new BuiltinException($"a pattern has at most {MaxTokens} characters");
        var items = new List<Item>();
        for (int i = 0; i < pattern.Length;)
        {
            BitArray? set;
            switch (pattern[i])
            {
                case '.':
                    set = null;
                    i++;
                    break;
                case '[':
                    set = Class(pattern, ref i);
                    break;
                case '*' or '+' or '?':
                    throw new BuiltinException($"input:{pattern}, pos:{i}: flag '{pattern[i]}' must be preceded by a non-flag: the input provided is invalid");
                case ']':
                    throw new BuiltinException($"input:{pattern}, pos:{i}: set-close ']' with no preceding '[': the input provided is invalid");
                default:
                    if (pattern[i] == '\\' && i + 1 < pattern.Length) i++;
                    set = Only(pattern[i++]);
                    break;
            }
            char flag = i < pattern.Length ? pattern[i] : '\0';
            if (flag is '*' or '+' or '?') i++;
            items.Add(new Item(set, flag is '*' or '?', flag is '*' or '+'));
        }
        return [.. items];
    }

    static BitArray Only(char c) => new(char.MaxValue + 1) { [c] = true };

    static BitArray Class(string pattern, ref int i)
    {
        var set = new BitArray(char.MaxValue + 1);
        int start = i++;
        while (i < pattern.Length && pattern[i] != ']')
        {
            if (pattern[i] == '\\' && i + 1 < pattern.Length) i++;
            char from = pattern[i++];
            if (i + 1 < pattern.Length && pattern[i] == '-' && pattern[i + 1] != ']')
            {
                char to = pattern[i + 1];
                i += 2;
                if (to < from) throw new BuiltinException($"input:{pattern}, pos:{i}: range is invalid: the input provided is invalid");
                for (int c = from; c <= to; c++) set[c] = true;
            }
            else set[from] = true;
        }
        if (i >= pattern.Length) throw new BuiltinException($"input:{pattern}, pos:{start}: set-open '[' with no following ']': the input provided is invalid");
        i++;
        return set;
    }
}
