namespace Talos.Policy;

/// <summary>The variables of one running rule body.</summary>
sealed class Frame(Evaluation evaluation, int slots, int cells)
{
    public readonly Evaluation E = evaluation;
    public readonly Value?[] Slots = slots == 0 ? [] : new Value?[slots];

    /// <summary>What steps keep between each other: collectors and saved contexts.</summary>
    public readonly object?[] Cells = cells == 0 ? [] : new object?[cells];

    public Value? Result;

    /// <summary>Where a partial rule or a query puts what it finds.</summary>
    public object? Target;
}

/// <summary>A computation with at most one value; null is undefined.</summary>
abstract class Expr
{
    public abstract Value? Eval(Frame f);
}

/// <summary>
/// One step of a body. It runs the next step once for each of its solutions; which variables are bound at each step is
/// known when compiling, so nothing has to be undone. True asks all steps before to stop.
/// </summary>
abstract class Step
{
    Step? _next;

    public Step Next { get => _next!; set => _next = value; }

    public abstract bool Run(Frame f);
}
