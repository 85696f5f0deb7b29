namespace Talos.Policy;

/// <summary>Where a match is anchored without taking a character.</summary>
enum RegexAssertion
{
    TextStart = 0,
    TextEnd,
    LineStart,
    LineEnd,
    WordBoundary,
    NoWordBoundary,
}

/// <summary>A regular expression as it was written.</summary>
abstract record RegexNode
{
    public sealed record Empty : RegexNode
    {
        public static readonly Empty Instance = new();
    }

    public sealed record Character(RuneSet Set) : RegexNode;

    public sealed record Assertion(RegexAssertion Kind) : RegexNode;

    public sealed record Sequence(IReadOnlyList<RegexNode> Items) : RegexNode;

    public sealed record Alternatives(IReadOnlyList<RegexNode> Items) : RegexNode;

    /// <param name="Inner">What is repeated.</param>
    /// <param name="Min">At least so often.</param>
    /// <param name="Max">At most so often; -1 for any number.</param>
    /// <param name="IsLazy">Rather less than more.</param>
    public sealed record Repeat(RegexNode Inner, int Min, int Max, bool IsLazy) : RegexNode;

    public sealed record Group(RegexNode Inner, int Number) : RegexNode;

    /// <summary>True when it may match without taking a character.</summary>
    public bool IsNullable => this switch
    {
        Character => false,
        Sequence s => s.Items.All(i => i.IsNullable),
        Alternatives a => a.Items.Any(i => i.IsNullable),
        Repeat r => r.Min == 0 || r.Inner.IsNullable,
        Group g => g.Inner.IsNullable,
        _ => true,
    };
}
