namespace Talos.Policy;

sealed class ConstantExpr(Value value) : Expr
{
    public Value Value { get; } = value;
    public override Value Eval(Frame f) => Value;
}

sealed class SlotExpr(int slot) : Expr
{
    public int Slot { get; } = slot;
    public override Value? Eval(Frame f) => f.Slots[Slot];
}

sealed class InputExpr : Expr
{
    public override Value? Eval(Frame f) => f.E.Context.Input is LazyDocument lazy ? lazy.Force() : f.E.Context.Input;
}

/// <summary>Follows a path from a value; the end of a path through packages becomes a whole document.</summary>
sealed class PathExpr(Expr start, Expr[] path, bool force) : Expr
{
    public override Value? Eval(Frame f)
    {
        Value? value = start.Eval(f);
        foreach (Expr part in path)
        {
            if (value is null) return null;
            if (part.Eval(f) is not { } key) return null;
            value = value.Get(key);
        }
        return force && value is VirtualDoc doc ? doc.Force() : value;
    }
}

/// <summary>A constant path below <c>input</c>.</summary>
sealed class InputPathExpr(Value[] path) : Expr
{
    public override Value? Eval(Frame f)
    {
        Value? value = f.E.Context.Input;
        foreach (Value key in path)
        {
            if (value is null) return null;
            value = value.Get(key);
        }
        return value is LazyDocument lazy ? lazy.Force() : value;
    }
}

/// <summary>A constant path below <c>data</c> that leads to a rule.</summary>
sealed class RuleExpr(DocNode node) : Expr
{
    public override Value? Eval(Frame f) => f.E.Context.Masks is null ? f.E.Rule(node) : f.E.Document(node.Path);
}

/// <summary>A constant path below <c>data</c> that no rule is on.</summary>
sealed class BaseExpr(Value[] path) : Expr
{
    Value? _root, _found;

    public override Value? Eval(Frame f)
    {
        Value root = f.E.Context.Data;
        if (ReferenceEquals(root, Volatile.Read(ref _root))) return _found;
        Value? value = root;
        foreach (Value key in path)
        {
            // A number in a constant path names the member of that text, as a path in a store does.
            value = value.Get(key) ?? (key is NumberValue ? value.Get(key.ToString()) : null);
            if (value is null) break;
        }
        if (ReferenceEquals(root, f.E.Program.Data) && _root is null)
        {
            _found = value;
            Volatile.Write(ref _root, root);
        }
        return value;
    }
}

/// <summary>A path below <c>data</c> that ends in a package.</summary>
sealed class DocumentExpr(Value[] path) : Expr
{
    public override Value? Eval(Frame f) => f.E.Document(path);
}

sealed class ArrayExpr(Expr[] items) : Expr
{
    public override Value? Eval(Frame f)
    {
        var values = new Value[items.Length];
        for (int i = 0; i < items.Length; i++)
        {
            if (items[i].Eval(f) is not { } value) return null;
            values[i] = value;
        }
        return new ArrayValue(values);
    }
}

sealed class SetExpr(Expr[] items) : Expr
{
    public override Value? Eval(Frame f)
    {
        var values = new Value[items.Length];
        for (int i = 0; i < items.Length; i++)
        {
            if (items[i].Eval(f) is not { } value) return null;
            values[i] = value;
        }
        return new SetValue(KeySet.FromUnsorted(values));
    }
}

/// <summary>An object with constant keys: they are sorted once, and every object made here shares them.</summary>
sealed class RecordExpr(KeySet keys, Expr[] values) : Expr
{
    public static RecordExpr? Of(Expr[] keys, Expr[] values)
    {
        if (!keys.All(k => k is ConstantExpr)) return null;
        Value[] sorted = [.. keys.Select(k => ((ConstantExpr)k).Value)];
        if (sorted.Distinct().Count() != sorted.Length) return null;
        Expr[] inOrder = [.. values];
        Array.Sort(sorted, inOrder);
        return new RecordExpr(KeySet.FromSorted(sorted), inOrder);
    }

    public override Value? Eval(Frame f)
    {
        var made = new Value[values.Length];
        for (int i = 0; i < made.Length; i++)
        {
            if (values[i].Eval(f) is not { } value) return null;
            made[i] = value;
        }
        return new ObjectValue(keys, made);
    }
}

sealed class ObjectExpr(Expr[] keys, Expr[] values) : Expr
{
    public override Value? Eval(Frame f)
    {
        var map = new Dictionary<Value, Value>(keys.Length);
        for (int i = 0; i < keys.Length; i++)
        {
            if (keys[i].Eval(f) is not { } key || values[i].Eval(f) is not { } value) return null;
            if (!map.TryAdd(key, value) && !map[key].Equals(value)) throw new EvaluationException("eval_conflict_error", "object keys must be unique");
        }
        return ObjectValue.From(map);
    }
}

sealed class EqualExpr(Expr a, Expr b, bool negate) : Expr
{
    public override Value? Eval(Frame f) =>
        a.Eval(f) is { } x && b.Eval(f) is { } y ? Value.From(x.Equals(y) != negate) : null;
}

sealed class MemberExpr(Expr item, Expr collection) : Expr
{
    public override Value? Eval(Frame f)
    {
        if (item.Eval(f) is not { } x || collection.Eval(f) is not { } c) return null;
        return Value.From(c switch
        {
            SetValue s => s.Contains(x),
            ArrayValue a => Contains(a.Items, x),
            ObjectValue o => Contains(o.Values, x),
            _ => false,
        });
    }

    static bool Contains(Value[] values, Value wanted)
    {
        foreach (Value value in values)
            if (value.Equals(wanted)) return true;
        return false;
    }
}

sealed class BuiltinExpr(Builtin builtin, Expr[] args, Position at) : Expr
{
    public override Value? Eval(Frame f)
    {
        if (f.E.Context.Mocks is null)
        {
            if (builtin.One is not null) return args[0].Eval(f) is { } a ? f.E.CallBuiltin(builtin, a, at) : null;
            if (builtin.Two is not null) return args[0].Eval(f) is { } b && args[1].Eval(f) is { } c ? f.E.CallBuiltin(builtin, b, c, at) : null;
            if (builtin.Three is not null)
                return args[0].Eval(f) is { } x && args[1].Eval(f) is { } y && args[2].Eval(f) is { } z ? f.E.CallBuiltin(builtin, x, y, z, at) : null;
        }
        var values = new Value[args.Length];
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i].Eval(f) is not { } value) return null;
            values[i] = value;
        }
        return f.E.Context.Mocks is null ? f.E.CallBuiltin(builtin, values, at) : f.E.CallMocked(builtin.Name, values, at);
    }
}

sealed class FunctionExpr(DocNode node, Expr[] args, Position at) : Expr
{
    public override Value? Eval(Frame f)
    {
        var values = new Value[args.Length];
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i].Eval(f) is not { } value) return null;
            values[i] = value;
        }
        return f.E.Context.Mocks is null ? f.E.CallFunction(node, values, at) : f.E.CallMocked(node.ToString(), values, at);
    }
}

/// <summary>Runs a body and gathers what it yields.</summary>
sealed class ComprehensionExpr(ComprehensionKind kind, Step body, int cell) : Expr
{
    public override Value? Eval(Frame f)
    {
        object? saved = f.Cells[cell];
        try
        {
            switch (kind)
            {
                case ComprehensionKind.Array:
                    var list = new List<Value>();
                    f.Cells[cell] = list;
                    body.Run(f);
                    return list.Count == 0 ? ArrayValue.Empty : new ArrayValue([.. list]);
                case ComprehensionKind.Set:
                    var set = new HashSet<Value>();
                    f.Cells[cell] = set;
                    body.Run(f);
                    return SetValue.From(set);
                default:
                    var map = new Dictionary<Value, Value>();
                    f.Cells[cell] = map;
                    body.Run(f);
                    return ObjectValue.From(map);
            }
        }
        finally
        {
            f.Cells[cell] = saved;
        }
    }
}

/// <summary><c>$"…{x}…"</c>: an expression without a value prints as a word.</summary>
sealed class TemplateExpr(Expr[] parts) : Expr
{
    public override Value? Eval(Frame f)
    {
        var texts = new string[parts.Length];
        for (int i = 0; i < texts.Length; i++)
            texts[i] = parts[i].Eval(f) is not { } value ? "<undefined>" : value is StringValue s ? s.Text : value.ToString();
        return Value.From(string.Concat(texts));
    }
}

/// <summary>An expression of a template that may have several values, which is an error.</summary>
sealed class OnlyExpr(Step body, int cell) : Expr
{
    public override Value? Eval(Frame f)
    {
        var found = new HashSet<Value>();
        f.Cells[cell] = found;
        body.Run(f);
        return found.Count <= 1 ? found.FirstOrDefault() : throw new EvaluationException("eval_conflict_error", "template-strings must not produce multiple outputs");
    }
}
