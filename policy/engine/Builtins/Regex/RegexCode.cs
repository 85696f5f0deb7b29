namespace Talos.Policy;

enum RegexOperation : byte
{
    Match = 0,
    Character,
    Split,
    Jump,
    Save,
    Assert,
}

/// <summary>One step. A split prefers <see cref="Next"/> to <see cref="Other"/>.</summary>
readonly record struct RegexStep(RegexOperation Operation, int Next, int Other, RuneSet? Set);

/// <summary>A regular expression as steps for <see cref="RegexMachine"/>; the same one may run in many threads.</summary>
sealed class RegexCode
{
    // LIMIT: steps of one expression; counted repetitions are written out.
    const int MaxSteps = 50_000;

    readonly List<RegexStep> _steps = [];

    RegexCode(RegexNode root, int groups)
    {
        Slots = 2 * (groups + 1);
        Emit(new RegexNode.Group(root, 0));
        Add(new RegexStep(RegexOperation.Match, 0, 0, null));
        Steps = [.. _steps];
        // What may begin a match, if a match takes a character at all: lets the machine skip what cannot.
        First = root.IsNullable ? null : Firsts(root);
        IsAnchored = StartsAtText(root);
    }

    public static RegexCode Compile(RegexNode root, int groups) => new(root, groups);

    public RegexStep[] Steps { get; }

    /// <summary>Positions that a match has: start and end of each group.</summary>
    public int Slots { get; }

    public RuneSet? First { get; }

    public bool IsAnchored { get; }

    int Add(RegexStep step)
    {
        if (_steps.Count >= MaxSteps) throw new BuiltinException("error parsing regexp: expression too large");
        _steps.Add(step);
        return _steps.Count - 1;
    }

    void Emit(RegexNode node)
    {
        switch (node)
        {
            case RegexNode.Character c:
                Add(new RegexStep(RegexOperation.Character, _steps.Count + 1, 0, c.Set));
                break;
            case RegexNode.Assertion a:
                Add(new RegexStep(RegexOperation.Assert, _steps.Count + 1, (int)a.Kind, null));
                break;
            case RegexNode.Sequence s:
                foreach (RegexNode item in s.Items) Emit(item);
                break;
            case RegexNode.Group g:
                Add(new RegexStep(RegexOperation.Save, _steps.Count + 1, 2 * g.Number, null));
                Emit(g.Inner);
                Add(new RegexStep(RegexOperation.Save, _steps.Count + 1, 2 * g.Number + 1, null));
                break;
            case RegexNode.Alternatives a:
                EmitAlternatives(a.Items);
                break;
            case RegexNode.Repeat r:
                EmitRepeat(r);
                break;
        }
    }

    void EmitAlternatives(IReadOnlyList<RegexNode> items)
    {
        var jumps = new List<int>();
        for (int i = 0; i < items.Count - 1; i++)
        {
            int split = Add(default);
            Emit(items[i]);
            jumps.Add(Add(default));
            _steps[split] = new RegexStep(RegexOperation.Split, split + 1, _steps.Count, null);
        }
        Emit(items[^1]);
        foreach (int jump in jumps) _steps[jump] = new RegexStep(RegexOperation.Jump, _steps.Count, 0, null);
    }

    void EmitRepeat(RegexNode.Repeat r)
    {
        for (int i = 0; i < r.Min - (r.Max < 0 ? 1 : 0); i++) Emit(r.Inner);
        if (r.Max < 0 && r.Min > 0) EmitPlus(r);
        // Go: a star over what may be empty is an optional plus, so that the order of preference is Perl's.
        else if (r.Max < 0 && r.Inner.IsNullable) Optional(r.IsLazy, () => EmitPlus(r));
        else if (r.Max < 0) EmitStar(r);
        else EmitOptionals(r, r.Max - r.Min);
    }

    void EmitPlus(RegexNode.Repeat r)
    {
        int start = _steps.Count;
        Emit(r.Inner);
        int split = Add(default);
        _steps[split] = Split(start, _steps.Count, r.IsLazy);
    }

    void EmitStar(RegexNode.Repeat r)
    {
        int split = Add(default);
        Emit(r.Inner);
        Add(new RegexStep(RegexOperation.Jump, split, 0, null));
        _steps[split] = Split(split + 1, _steps.Count, r.IsLazy);
    }

    // x{0,3} is (x(x(x)?)?)?.
    void EmitOptionals(RegexNode.Repeat r, int count)
    {
        var splits = new List<int>();
        for (int i = 0; i < count; i++)
        {
            splits.Add(Add(default));
            Emit(r.Inner);
        }
        foreach (int split in splits) _steps[split] = Split(split + 1, _steps.Count, r.IsLazy);
    }

    void Optional(bool isLazy, Action emit)
    {
        int split = Add(default);
        emit();
        _steps[split] = Split(split + 1, _steps.Count, isLazy);
    }

    static RegexStep Split(int inside, int outside, bool isLazy) =>
        isLazy ? new RegexStep(RegexOperation.Split, outside, inside, null) : new RegexStep(RegexOperation.Split, inside, outside, null);

    static RuneSet Firsts(RegexNode node)
    {
        var set = new RuneSet();
        Collect(node, set);
        return set;
    }

    // Adds what a match of the node may begin with; true when it may also take nothing.
    static bool Collect(RegexNode node, RuneSet set)
    {
        switch (node)
        {
            case RegexNode.Character c:
                set.Add(c.Set);
                return false;
            case RegexNode.Sequence s:
                foreach (RegexNode item in s.Items)
                    if (!Collect(item, set)) return false;
                return true;
            case RegexNode.Alternatives a:
                bool nullable = false;
                foreach (RegexNode item in a.Items) nullable |= Collect(item, set);
                return nullable;
            case RegexNode.Repeat { Max: 0 }:
                return true;
            case RegexNode.Repeat r:
                return Collect(r.Inner, set) || r.Min == 0;
            case RegexNode.Group g:
                return Collect(g.Inner, set);
            default:
                return true;
        }
    }

    static bool StartsAtText(RegexNode node) => node switch
    {
        RegexNode.Assertion a => a.Kind == RegexAssertion.TextStart,
        RegexNode.Sequence s => StartsAtText(s.Items[0]),
        RegexNode.Group g => StartsAtText(g.Inner),
        RegexNode.Alternatives a => a.Items.All(StartsAtText),
        _ => false,
    };
}
