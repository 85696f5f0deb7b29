namespace Talos.Policy;

/// <summary>Which expressions of which modules ran.</summary>
sealed class Coverage
{
    readonly HashSet<(string File, int Line)> _covered = [];

    public void Hit(Position at) => _covered.Add((at.Source.File, at.Line));

    public bool IsCovered(Position at) => _covered.Contains((at.Source.File, at.Line));
}

/// <summary>Notes that an expression holds.</summary>
sealed class CoverageStep(Position at) : Step
{
    public override bool Run(Frame f)
    {
        f.E.Options.Coverage?.Hit(at);
        return Next.Run(f);
    }
}
