using System.Globalization;
using System.Text.RegularExpressions;
using Talos.Checks.Probes;

namespace Talos.Checks.Rules;

/// <summary>An operator with its operand. Numbers, modes, versions and patterns were checked when the rule was parsed.</summary>
sealed record Expectation(Operator Operator, string Operand)
{
    /// <summary>What it means that the thing is not there at all.</summary>
    public Verdict AbsentVerdict => Operator is Operator.Absent or Operator.NotSet or Operator.Empty ? Verdict.Pass : Verdict.Fail;

    public Verdict Judge(string value, ValueShape shape, out string trouble)
    {
        trouble = "";
        switch (Operator)
        {
            case Operator.Is:
                return Of(shape == ValueShape.Mode ? Octal(value) == Octal(Operand) : value == Operand);
            case Operator.IsNot:
                return Of(value != Operand);
            case Operator.In:
                return Of(Items(Operand).Contains(value));
            case Operator.NotIn:
                return Of(!Items(Operand).Contains(value));
            case Operator.AtLeast or Operator.AtMost:
                return JudgeOrder(value, shape, out trouble);
            case Operator.Has:
                return Of(ItemsOf(value).Contains(Operand));
            case Operator.Lacks:
                return Of(!ItemsOf(value).Contains(Operand));
            case Operator.Within:
                return Of(ItemsOf(value).All(Items(Operand).Contains));
            case Operator.Matches:
                return Of(Pattern(Operand).IsMatch(value));
            case Operator.MatchesNot:
                return Of(!Pattern(Operand).IsMatch(value));
            case Operator.Present:
                return Verdict.Pass;
            case Operator.Absent:
                return Verdict.Fail;
            case Operator.NotSet:
                return Of(value == "is not set");
            case Operator.NotOff:
                return Of(value is not ("off" or "0" or "is not set"));
            case Operator.IsTrue:
                return JudgeTruth(value, true, out trouble);
            case Operator.IsFalse:
                return JudgeTruth(value, false, out trouble);
            case Operator.Undefined or Operator.Empty or Operator.IsValueOf:
                break;
        }
        throw new InvalidOperationException($"operator {Operator} has no meaning for a single value");
    }

    /// <summary>The items that break the expectation; <paramref name="missing"/> when an item that must be there is not.</summary>
    public IReadOnlyList<Fact> OffendingItems(IReadOnlyList<Fact> items, out bool missing)
    {
        missing = Operator == Operator.Has && !items.Any(i => Glob.Matches(Operand, i.Value));
        var allowed = Items(Operand);
        return Operator switch
        {
            Operator.Empty => items,
            Operator.Lacks => [.. items.Where(i => Glob.Matches(Operand, i.Value))],
            Operator.Within => [.. items.Where(i => !allowed.Any(a => Glob.Matches(a, i.Value)))],
            Operator.Has => [],
            _ => throw new InvalidOperationException($"operator {Operator} has no meaning for items"),
        };
    }

    public override string ToString() => Operand.Length == 0 ? Operators.Text(Operator) : $"{Operators.Text(Operator)} {RuleText.Quote(Operand)}";

    /// <summary>What is wrong with the operand for values of this shape; null when nothing is.</summary>
    public string? OperandError(ValueShape shape)
    {
        switch (Operator)
        {
            case Operator.AtLeast or Operator.AtMost when shape == ValueShape.Text:
                return TryNumber(Operand, out _) ? null : $"`{Operand}` is no number";
            case Operator.AtLeast when shape == ValueShape.Version:
                return KernelVersion.TryParse(Operand, out _) ? null : $"`{Operand}` is no version of three numbers";
            case Operator.Is or Operator.AtMost when shape == ValueShape.Mode:
                return IsOctal(Operand) ? null : $"`{Operand}` is no octal mode";
            case Operator.Matches or Operator.MatchesNot:
                return PatternError(Operand);
            default:
                return null;
        }
    }

    public static string? PatternError(string pattern)
    {
        try
        {
            Pattern(pattern);
            return null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return $"`{pattern}` is no pattern that can be used: {e.Message.TrimEnd('.')}";
        }
    }

    // Linear-time matching: a catalogue may come from elsewhere, and so may the text it is held against.
    public static Regex Pattern(string pattern) => new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    Verdict JudgeOrder(string value, ValueShape shape, out string trouble)
    {
        trouble = "";
        if (shape == ValueShape.Mode) return Of((Octal(value) & ~Octal(Operand)) == 0);
        if (shape == ValueShape.Version)
        {
            if (KernelVersion.TryParse(Operand, out var wanted) && KernelVersion.TryParse(value, out var version)) return Of(version >= wanted);
            trouble = ", which is no version";
            return Verdict.Unknown;
        }
        if (TryNumber(value, out var number) && TryNumber(Operand, out var limit))
            return Of(Operator == Operator.AtLeast ? number >= limit : number <= limit);
        trouble = ", which is no number";
        return Verdict.Fail;
    }

    // The spellings that Go's strconv.ParseBool takes: what the Kubernetes components accept for their flags.
    static Verdict JudgeTruth(string value, bool wanted, out string trouble)
    {
        trouble = "";
        if (value is "true" or "True" or "TRUE" or "t" or "T" or "1") return Of(wanted);
        if (value is "false" or "False" or "FALSE" or "f" or "F" or "0") return Of(!wanted);
        trouble = ", which is neither true nor false";
        return Verdict.Fail;
    }

    static Verdict Of(bool holds) => holds ? Verdict.Pass : Verdict.Fail;

    static string[] Items(string list) => list.Split(',', StringSplitOptions.TrimEntries);

    // CONFIG_LSM is written in double quotes.
    static string[] ItemsOf(string value) => value.Trim('"').Split(',');

    static bool TryNumber(string text, out long number) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);

    static bool IsOctal(string text) => text.Length is > 0 and <= 5 && text.All(c => c is >= '0' and <= '7');

    static int Octal(string text) => Convert.ToInt32(text, 8);
}
