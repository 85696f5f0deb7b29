using System.Numerics;
using System.Text.RegularExpressions;

namespace Talos.Policy;

/// <summary>Semantic Versioning 2.0.0.</summary>
static partial class SemverBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("semver.is_valid", v => Value.From(v is StringValue s && Pattern().IsMatch(s.Text))),
        Builtin.Of("semver.compare", (a, b) => NumberValue.From(Compare(Parse(a, 1), Parse(b, 2)))),
    ];

    static Match Parse(Value v, int position)
    {
        string text = Operand.Text(v, position);
        Match m = Pattern().Match(text);
        return m.Success ? m : throw BuiltinException.OperandValue($"operand {position}: string \"{text}\" is not a valid SemVer");
    }

    // §11
    static int Compare(Match a, Match b)
    {
        for (int i = 1; i <= 3; i++)
        {
            int order = BigInteger.Parse(a.Groups[i].Value).CompareTo(BigInteger.Parse(b.Groups[i].Value));
            if (order != 0) return order;
        }
        string x = a.Groups[4].Value, y = b.Groups[4].Value;
        if (x.Length == 0 || y.Length == 0) return (x.Length == 0 ? 1 : 0) - (y.Length == 0 ? 1 : 0);
        string[] xs = x.Split('.'), ys = y.Split('.');
        for (int i = 0; i < xs.Length && i < ys.Length; i++)
        {
            bool xn = xs[i].All(char.IsAsciiDigit), yn = ys[i].All(char.IsAsciiDigit);
            int order = xn && yn ? BigInteger.Parse(xs[i]).CompareTo(BigInteger.Parse(ys[i])) : xn != yn ? (xn ? -1 : 1) : Math.Sign(string.CompareOrdinal(xs[i], ys[i]));
            if (order != 0) return order;
        }
        return xs.Length.CompareTo(ys.Length);
    }

    [GeneratedRegex(@"\A(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(?:-((?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?\z")]
    private static partial Regex Pattern();
}
