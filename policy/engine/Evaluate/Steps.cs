namespace Talos.Policy;

/// <summary>Goes on when the expression is defined and not false.</summary>
sealed class TestStep(Expr expr) : Step
{
    public override bool Run(Frame f) => expr.Eval(f) is { IsFalse: false } && Next.Run(f);
}

sealed class AssignStep(int slot, Expr expr) : Step
{
    public override bool Run(Frame f)
    {
        if (expr.Eval(f) is not { } value) return false;
        f.Slots[slot] = value;
        return Next.Run(f);
    }
}

sealed class EqualStep(Expr a, Expr b) : Step
{
    public override bool Run(Frame f) => a.Eval(f) is { } x && b.Eval(f) is { } y && x.Equals(y) && Next.Run(f);
}

/// <summary>One solution for each element: key (or member) and value go to slots.</summary>
sealed class IterateStep(Expr collection, int keySlot, int valueSlot) : Step
{
    public override bool Run(Frame f)
    {
        switch (collection.Eval(f))
        {
            case ArrayValue a:
                for (int i = 0; i < a.Items.Length; i++)
                    if (Visit(f, Value.From(i), a.Items[i])) return true;
                return false;
            case ObjectValue o:
                for (int i = 0; i < o.Values.Length; i++)
                    if (Visit(f, o.Keys.Sorted[i], o.Values[i])) return true;
                return false;
            case SetValue s:
                foreach (Value member in s.Members.Sorted)
                    if (Visit(f, member, member)) return true;
                return false;
            case VirtualDoc doc:
                foreach (Value key in doc.Keys())
                    if (doc.Get(key) is { } value && Visit(f, key, value)) return true;
                return false;
            default:
                return false;
        }
    }

    bool Visit(Frame f, Value key, Value value)
    {
        f.E.Tick();
        f.Slots[keySlot] = key;
        f.Slots[valueSlot] = value;
        return Next.Run(f);
    }
}

/// <summary>Takes an array of exactly this many items apart.</summary>
sealed class ArrayPatternStep(Expr array, int[] slots) : Step
{
    public override bool Run(Frame f)
    {
        if (array.Eval(f) is not ArrayValue a || a.Items.Length != slots.Length) return false;
        for (int i = 0; i < slots.Length; i++) f.Slots[slots[i]] = a.Items[i];
        return Next.Run(f);
    }
}

/// <summary>Takes an object with exactly these keys apart.</summary>
sealed class ObjectPatternStep(Expr value, Expr[] keys, int[] slots) : Step
{
    public override bool Run(Frame f)
    {
        if (value.Eval(f) is not ObjectValue o || o.Count != slots.Length) return false;
        for (int i = 0; i < slots.Length; i++)
        {
            if (keys[i].Eval(f) is not { } key || o.Get(key) is not { } found) return false;
            f.Slots[slots[i]] = found;
        }
        return Next.Run(f);
    }
}

/// <summary>Stops an evaluation whose body is longer than the stack is deep.</summary>
sealed class StackStep : Step
{
    public override bool Run(Frame f)
    {
        f.E.CheckStack();
        return Next.Run(f);
    }
}

sealed class FailStep : Step
{
    public override bool Run(Frame f) => false;
}

/// <summary>Ends the body of a `not` or a test of existence.</summary>
sealed class FoundStep : Step
{
    public override bool Run(Frame f) => true;
}

sealed class NotStep(Step body) : Step
{
    public override bool Run(Frame f) => !body.Run(f) && Next.Run(f);
}

sealed class BothStep(Step left, Step right) : Step
{
    public override bool Run(Frame f) => left.Run(f) && right.Run(f) && Next.Run(f);
}

sealed class EitherStep(Step left, Step right) : Step
{
    public override bool Run(Frame f) => (left.Run(f) || right.Run(f)) && Next.Run(f);
}

sealed class EveryStep(Expr domain, int keySlot, int valueSlot, Step body) : Step
{
    public override bool Run(Frame f)
    {
        switch (domain.Eval(f))
        {
            case ArrayValue a:
                for (int i = 0; i < a.Items.Length; i++)
                    if (!Holds(f, Value.From(i), a.Items[i])) return false;
                break;
            case ObjectValue o:
                for (int i = 0; i < o.Values.Length; i++)
                    if (!Holds(f, o.Keys.Sorted[i], o.Values[i])) return false;
                break;
            case SetValue s:
                foreach (Value member in s.Members.Sorted)
                    if (!Holds(f, member, member)) return false;
                break;
            default:
                return false;
        }
        return Next.Run(f);
    }

    bool Holds(Frame f, Value key, Value value)
    {
        f.E.Tick();
        f.Slots[keySlot] = key;
        f.Slots[valueSlot] = value;
        return body.Run(f);
    }
}

/// <summary>Runs what follows, up to its <see cref="WithEndStep"/>, in a changed context.</summary>
sealed class WithStep(WithTarget[] targets, Expr[] values, int cell) : Step
{
    public override bool Run(Frame f)
    {
        var evaluated = new Value[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] is FunctionNameExpr) continue;
            if (values[i].Eval(f) is not { } value) return false;
            evaluated[i] = value;
        }
        EvaluationContext outer = f.E.Context;
        object? saved = f.Cells[cell];
        f.Cells[cell] = outer;
        f.E.Context = outer.With(f.E, targets, values, evaluated, f);
        try
        {
            return Next.Run(f);
        }
        finally
        {
            f.E.Context = outer;
            f.Cells[cell] = saved;
        }
    }
}

/// <summary>Leaves the changed context for what comes after the expression, and returns to it for the next solution.</summary>
sealed class WithEndStep(int cell) : Step
{
    public override bool Run(Frame f)
    {
        EvaluationContext inner = f.E.Context;
        f.E.Context = (EvaluationContext)f.Cells[cell]!;
        bool stop = Next.Run(f);
        f.E.Context = inner;
        return stop;
    }
}

/// <summary>The builtin `walk`: one solution for each path in a value.</summary>
sealed class WalkStep(Expr value, int slot) : Step
{
    public override bool Run(Frame f) => value.Eval(f) is { } root && Visit(f, root, []);

    bool Visit(Frame f, Value value, List<Value> path)
    {
        f.E.Tick();
        f.Slots[slot] = new ArrayValue(new ArrayValue([.. path]), value);
        if (Next.Run(f)) return true;
        switch (value)
        {
            case ArrayValue a:
                for (int i = 0; i < a.Items.Length; i++)
                    if (Descend(f, Value.From(i), a.Items[i], path)) return true;
                return false;
            case ObjectValue o:
                for (int i = 0; i < o.Values.Length; i++)
                    if (Descend(f, o.Keys.Sorted[i], o.Values[i], path)) return true;
                return false;
            case SetValue s:
                foreach (Value member in s.Members.Sorted)
                    if (Descend(f, member, member, path)) return true;
                return false;
            default:
                return false;
        }
    }

    bool Descend(Frame f, Value key, Value value, List<Value> path)
    {
        f.E.CheckStack();
        path.Add(key);
        bool stop = Visit(f, value, path);
        path.RemoveAt(path.Count - 1);
        return stop;
    }
}

/// <summary>Ends a comprehension's body.</summary>
sealed class CollectStep(ComprehensionKind kind, Expr? key, Expr value, int cell) : Step
{
    public override bool Run(Frame f)
    {
        if (value.Eval(f) is not { } v) return false;
        switch (kind)
        {
            case ComprehensionKind.Array:
                ((List<Value>)f.Cells[cell]!).Add(v);
                break;
            case ComprehensionKind.Set:
                ((HashSet<Value>)f.Cells[cell]!).Add(v);
                break;
            default:
                if (key!.Eval(f) is not { } k) return false;
                var map = (Dictionary<Value, Value>)f.Cells[cell]!;
                if (!map.TryAdd(k, v) && !map[k].Equals(v)) throw new EvaluationException("eval_conflict_error", "object keys must be unique");
                break;
        }
        return false;
    }
}

/// <summary>Ends the body of a complete rule or function.</summary>
sealed class ResultStep(Expr value, bool constant, string conflict) : Step
{
    public override bool Run(Frame f)
    {
        if (value.Eval(f) is not { } v) return false;
        if (f.Result is not null && !f.Result.Equals(v)) throw new EvaluationException("eval_conflict_error", conflict);
        f.Result = v;
        return constant;
    }
}

/// <summary>Ends the body of a partial rule: puts one member, or one value under a path of keys, into the document.</summary>
sealed class PartialStep(Expr[] path, Expr leaf, bool isMember) : Step
{
    public override bool Run(Frame f)
    {
        var keys = new Value[path.Length];
        for (int i = 0; i < path.Length; i++)
        {
            if (path[i].Eval(f) is not { } key) return false;
            keys[i] = key;
        }
        if (leaf.Eval(f) is not { } value) return false;
        f.E.Tick();
        ((DocumentBuilder)f.Target!).Add(keys, value, isMember);
        return false;
    }
}

/// <summary>Ends a query.</summary>
sealed class YieldStep : Step
{
    readonly KeySet _names;
    readonly int[] _slots;

    /// <param name="names">Distinct names of variables.</param>
    /// <param name="slots">Where each is kept.</param>
    public YieldStep(string[] names, int[] slots)
    {
        Value[] keys = [.. names.Select(Value.From)];
        _slots = [.. slots];
        Array.Sort(keys, _slots);
        _names = KeySet.FromSorted(keys);
    }

    public override bool Run(Frame f)
    {
        var values = new Value[_slots.Length];
        for (int i = 0; i < values.Length; i++) values[i] = f.Slots[_slots[i]]!;
        ((List<ObjectValue>)f.Target!).Add(new ObjectValue(_names, values));
        return false;
    }
}
