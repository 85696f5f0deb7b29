using Talos.Checks.Probes;

namespace Talos.Checks.Rules;

enum Operator
{
    Undefined = 0,
    Is,
    IsNot,
    In,
    NotIn,
    AtLeast,
    AtMost,
    Has,
    Lacks,
    Within,
    Matches,
    MatchesNot,
    Present,
    Absent,
    NotSet,
    NotOff,
    IsTrue,
    IsFalse,
    Empty,
    IsValueOf,
}

/// <summary>The words of the rule language: what each operator is called, whether it takes an operand, what it can be asked of.</summary>
static class Operators
{
    sealed record Word(string Text, Operator Operator, bool TakesOperand, params ValueShape[] Shapes);

    static readonly Word[] s_words =
    [
        new("is", Operator.Is, true, ValueShape.Text, ValueShape.Mode),
        new("is-not", Operator.IsNot, true, ValueShape.Text),
        new("in", Operator.In, true, ValueShape.Text),
        new("not-in", Operator.NotIn, true, ValueShape.Text),
        new("at-least", Operator.AtLeast, true, ValueShape.Text, ValueShape.Version),
        new("at-most", Operator.AtMost, true, ValueShape.Text, ValueShape.Mode),
        new("has", Operator.Has, true, ValueShape.Text, ValueShape.Items),
        new("lacks", Operator.Lacks, true, ValueShape.Text, ValueShape.Items),
        new("within", Operator.Within, true, ValueShape.Text, ValueShape.Items),
        new("matches", Operator.Matches, true, ValueShape.Text),
        new("matches-not", Operator.MatchesNot, true, ValueShape.Text),
        new("present", Operator.Present, false, ValueShape.Text, ValueShape.Mode, ValueShape.Presence),
        new("absent", Operator.Absent, false, ValueShape.Text, ValueShape.Mode, ValueShape.Presence),
        new("is-not-set", Operator.NotSet, false, ValueShape.Text),
        new("not-off", Operator.NotOff, false, ValueShape.Text),
        new("is-true", Operator.IsTrue, false, ValueShape.Text),
        new("is-false", Operator.IsFalse, false, ValueShape.Text),
        new("empty", Operator.Empty, false, ValueShape.Items),
        new("is-value-of", Operator.IsValueOf, true, ValueShape.Text),
    ];

    public static bool TryGet(string text, out Operator op, out bool takesOperand)
    {
        var word = Array.Find(s_words, w => w.Text == text);
        (op, takesOperand) = word is null ? (Operator.Undefined, false) : (word.Operator, word.TakesOperand);
        return word is not null;
    }

    public static string Text(Operator op) => Array.Find(s_words, w => w.Operator == op)?.Text ?? "undefined";

    public static bool Suits(Operator op, ValueShape shape) => Array.Find(s_words, w => w.Operator == op)!.Shapes.Contains(shape);

    public static string For(ValueShape shape) => string.Join(", ", s_words.Where(w => w.Shapes.Contains(shape)).Select(w => w.Text));
}
