using System.Collections.Frozen;

namespace Talos.Policy;

sealed partial class BodyCompiler
{
    static readonly ConstantExpr True = new(BooleanValue.True);

    /// <summary>The term as an expression with at most one value; references that iterate become steps before it.</summary>
    public Expr Expression(Term term)
    {
        switch (term)
        {
            case ConstantTerm c:
                return new ConstantExpr(c.Value);
            case CompiledTerm c:
                return c.Expr;
            case VarTerm { Name: "input" }:
                return new InputExpr();
            case VarTerm { Name: "data" }:
                return new PathExpr(new DocumentExpr([]), [], true);
            case VarTerm v:
                if (!bound.Contains(v.Name)) Unsafe(v.Name, v.At);
                return new SlotExpr(slots.Slot(v.Name));
            case RefTerm r:
                if (Place is not null) Place = r.At;
                return Reference(r);
            case ArrayTerm a:
                Expr[] items = Expressions(a.Items);
                return Constants(items) is { } array ? new ConstantExpr(new ArrayValue(array)) : new ArrayExpr(items);
            case SetTerm s:
                Expr[] members = Expressions(s.Items);
                return Constants(members) is { } set ? new ConstantExpr(SetValue.From(set)) : new SetExpr(members);
            case ObjectTerm o:
                Expr[] both = Expressions([.. o.Items.Select(i => i.Key), .. o.Items.Select(i => i.Value)]);
                Expr[] keys = both[..o.Items.Length], values = both[o.Items.Length..];
                return Constants(keys) is { } k && Constants(values) is { } v2 && k.Distinct().Count() == k.Length
                    ? new ConstantExpr(ObjectValue.From([.. k.Zip(v2, (x, y) => new KeyValuePair<Value, Value>(x, y))]))
                    : (Expr?)RecordExpr.Of(keys, values) ?? new ObjectExpr(keys, values);
            case CallTerm c:
                if (Place is not null) Place = c.At;
                return Call(c);
            case ComprehensionTerm c:
                return Comprehension(c);
            case TemplateTerm t:
                return new TemplateExpr([.. t.Parts.Select(TemplatePart)]);
            default:
                throw new InvalidOperationException("unknown kind of term");
        }
    }

    /// <summary>Several terms, those first whose variables are known; `f(x, xs[x])` finds `x` by its second argument.</summary>
    Expr[] Expressions(IReadOnlyList<Term> terms)
    {
        var compiled = new Expr[terms.Count];
        for (int pass = 0; pass < 2; pass++)
            for (int i = 0; i < compiled.Length; i++)
                if (compiled[i] is null && (pass == 1 || (Ready(terms[i]) && !(terms[i] is VarTerm v && Variables.IsVariable(v) && !bound.Contains(v.Name))))) compiled[i] = Expression(terms[i]);
        return compiled;
    }

    static Value[]? Constants(Expr[] items)
    {
        var values = new Value[items.Length];
        for (int i = 0; i < items.Length; i++)
        {
            if (items[i] is not ConstantExpr c) return null;
            values[i] = c.Value;
        }
        return values;
    }

    Expr Reference(RefTerm r)
    {
        (Expr start, int taken) = Start(r);
        var ground = new List<Expr>();
        for (int i = taken; i < r.Path.Length; i++)
        {
            Term part = r.Path[i];
            if (Ground(part))
            {
                ground.Add(Expression(part));
                continue;
            }
            var collection = new PathExpr(start, [.. ground], false);
            ground.Clear();
            int value = slots.Temporary();
            if (part is VarTerm v)
            {
                _steps.Add(new IterateStep(collection, slots.Slot(v.Name), value));
                bound.Add(v.Name);
            }
            else
            {
                Term pattern = Flatten(part);
                int key = slots.Temporary();
                _steps.Add(new IterateStep(collection, key, value));
                Solve([(pattern, new CompiledTerm(part.At, new SlotExpr(key)))]);
            }
            start = new SlotExpr(value);
        }
        if (ground.Count == 0 && start is RuleExpr or BaseExpr or InputExpr or InputPathExpr) return start;
        return new PathExpr(start, [.. ground], true);
    }

    // The longest constant beginning of a reference is looked up now.
    (Expr Start, int Taken) Start(RefTerm r)
    {
        if (r.Head is not VarTerm { Name: "input" or "data" } head) return (Expression(r.Head), 0);
        Value[] constants = [.. r.Path.TakeWhile(p => p is ConstantTerm).Select(p => ((ConstantTerm)p).Value)];
        if (head.Name == "input") return constants.Length == 0 ? (new InputExpr(), 0) : (new InputPathExpr(constants), constants.Length);
        DocNode node = context.Root;
        for (int i = 0; i < constants.Length; i++)
        {
            if (!node.Children.TryGetValue(constants[i], out DocNode? child)) return (new BaseExpr(constants), constants.Length);
            node = child;
            if (node.HasRules) return (new RuleExpr(node), i + 1);
        }
        return (new DocumentExpr(constants), constants.Length);
    }

    // OPA 1.0: what was deprecated before is refused in Rego v1. The functions stay in the table, so that the message can say so.
    static readonly FrozenSet<string> Deprecated = FrozenSet.ToFrozenSet(
        ["all", "any", "cast_array", "cast_boolean", "cast_null", "cast_object", "cast_set", "cast_string", "net.cidr_overlap", "re_match", "set_diff"], StringComparer.Ordinal);

    Expr Call(CallTerm call)
    {
        if (context.FindFunction(call.Operator) is { } function)
            return new FunctionExpr(function, Expressions(call.Args), call.At);
        string name = call.Name ?? "";
        Builtin builtin = BuiltinRegistry.Find(name) ?? throw new InvalidOperationException("a call was not checked");
        if (Deprecated.Contains(name))
        {
            context.Errors.Add(call.At.Error("rego_type_error", $"deprecated built-in function call: `{name}`", "Rego v1 has `in`, `every`, `regex.match`, `net.cidr_intersects`, set difference by `-`, and type checks such as `is_array`"));
            return True;
        }
        if (name is "rego.metadata.chain" or "rego.metadata.rule") return new ConstantExpr(Metadata.Find(context, rule, name));
        Expr[] args = Expressions(call.Args);
        switch (name)
        {
            case "equal":
                return new EqualExpr(args[0], args[1], false);
            case "neq":
                return new EqualExpr(args[0], args[1], true);
            case "internal.member_2":
                return new MemberExpr(args[0], args[1]);
            case "walk":
                int slot = slots.Temporary();
                _steps.Add(new WalkStep(args[0], slot));
                return new SlotExpr(slot);
            default:
                return new BuiltinExpr(builtin, args, call.At);
        }
    }

    ComprehensionExpr Comprehension(ComprehensionTerm c)
    {
        BodyCompiler nested = Nested();
        nested.Body(c.Body);
        Expr? key = c.Key is null ? null : nested.Expression(c.Key);
        Expr value = nested.Expression(c.Value);
        int cell = slots.Cell();
        return new ComprehensionExpr(c.Kind, nested.Finish(new CollectStep(c.Kind, key, value, cell)), cell);
    }

    Expr TemplatePart(Term part)
    {
        if (part is ConstantTerm { Value: StringValue s }) return new ConstantExpr(s);
        var expression = (TemplateExpression)part;
        BodyCompiler nested = Nested();
        int? withCell = expression.Withs.Length == 0 ? null : nested.EmitWith(expression.Withs);
        Expr value = nested.Expression(expression.Value);
        if (nested._steps.Count == 0) return value;
        int slot = slots.Temporary();
        nested._steps.Add(new AssignStep(slot, value));
        if (withCell is { } w) nested._steps.Add(new WithEndStep(w));
        int cell = slots.Cell();
        return new OnlyExpr(nested.Finish(new CollectStep(ComprehensionKind.Set, null, new SlotExpr(slot), cell)), cell);
    }
}
