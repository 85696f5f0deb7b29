using System.Text;

namespace Talos.Policy;

/// <summary>The types known of the variables of one body, inside those around it.</summary>
sealed class TypeScope(CompilerContext context, RuleTypes types, TypeScope? parent)
{
    // Inside an expression with `with`, rules and functions may be others than those of that name.
    bool _isMocked = parent?._isMocked ?? false;

    // Inside an expression with `with input`, no schema says what it is.
    bool _hasOtherInput = parent?._hasOtherInput ?? false;

    /// <summary>What annotations say of documents.</summary>
    public List<(Value[] Path, RegoType Type)> Schemas { get; init; } = parent?.Schemas ?? [];

    readonly Dictionary<string, RegoType> _variables = new(StringComparer.Ordinal);

    // A call that is an expression is where the expression begins; one inside another term is where it is itself.
    Position? _place;

    public void Body(Literal[] body)
    {
        foreach (Literal literal in context.InOrder(body))
        {
            (bool outer, bool outerInput) = (_isMocked, _hasOtherInput);
            _hasOtherInput |= literal.Withs.Length > 0;
            _isMocked |= literal.Withs.Any(w => w.Target is not RefTerm target || !target.HeadIs("input"));
            foreach (With with in literal.Withs)
                if (context.FindFunction(with.Value) is null) Infer(with.Value);
            _place = literal is TermLiteral { Term: CallTerm } ? literal.At : null;
            Expression(literal);
            (_isMocked, _hasOtherInput) = (outer, outerInput);
        }
    }

    void Expression(Literal literal)
    {
        switch (literal)
        {
            case TermLiteral { Term: CallTerm call } when call.Name != "eq" && context.CapturesResult(call):
                RegoType result = Call(call, call.Args[..^1]);
                RegoType? pattern = Infer(call.Args[^1]);
                if (!Fits(call.Args[^1], pattern, result)) Mismatch(literal.At, result, pattern);
                break;
            case TermLiteral t:
                Infer(t.Term);
                break;
            case SomeLiteral { Member: { } member }:
                Some(member);
                break;
            case LogicalLiteral logical:
                foreach (LogicalOperand operand in logical.Operands) new TypeScope(context, types, this).Body(operand.Body);
                break;
            case EveryLiteral every:
                RegoType? domain = Infer(every.Domain);
                var inner = new TypeScope(context, types, this);
                if (every.Key is { } key) inner.Take(key, domain?.Keys ?? RegoType.Any);
                inner.Take(every.Value, domain?.Values ?? RegoType.Any);
                inner.Body(every.Body);
                break;
        }
    }

    void Some(CallTerm member)
    {
        RegoType domain = Infer(member.Args[^1]) ?? RegoType.Any;
        if (domain.Keys is not { } keys)
        {
            Error(member.Args[^1].At, "undefined ref: there is nothing in it to iterate over", $"it is {domain}");
            foreach (Term pattern in member.Args[..^1]) Take(pattern, RegoType.Any);
            return;
        }
        RegoType values = domain.Values ?? RegoType.Any;
        Term value = member.Args[^2];
        if (member.Args.Length == 3)
        {
            RegoType? key = Infer(member.Args[0]);
            if (!Fits(member.Args[0], key, keys)) Mismatch(member.At, key, keys);
        }
        RegoType? actual = Infer(value);
        if (!Fits(value, actual, values)) Mismatch(member.At, actual, values);
    }

    /// <summary>The type of what a rule's head says; arguments that nothing was said of are anything.</summary>
    public RegoType Result(Term term)
    {
        if (Infer(term) is { } type) return type;
        TakeAny(term);
        return InferQuietly(term) ?? RegoType.Any;
    }

    /// <summary>The type of a function's argument, when the body was read.</summary>
    public RegoType Argument(Term argument) => argument switch
    {
        VarTerm v => Find(v.Name) ?? RegoType.Any,
        ArrayTerm a => RegoType.ArrayOf([.. a.Items.Select(Argument)]),
        ObjectTerm o when o.Items.All(i => i.Key is ConstantTerm) => RegoType.ObjectOf(Properties(o, Argument)!, null, null),
        _ => Infer(argument) ?? RegoType.Any,
    };

    /// <summary>The type of a term, after all inside it was checked; null when a variable in it has none yet.</summary>
    public RegoType? Infer(Term term) => term switch
    {
        ConstantTerm c => RegoType.Of(c.Value),
        VarTerm { Name: "input" or "data" } => RegoType.Any,
        VarTerm v => Find(v.Name),
        RefTerm r => Reference(r),
        ArrayTerm a => Array(a),
        SetTerm s => Set(s),
        ObjectTerm o => Object(o),
        ComprehensionTerm c => Comprehension(c),
        TemplateTerm t => Template(t),
        CallTerm { Name: "eq", Args.Length: 2 } call => Equation(call),
        // Inside another term it has a value, false for what can never be equal.
        CallTerm { Name: "equal" } call when _place is not null => Equation(call),
        CallTerm call => Call(call, call.Args),
        _ => RegoType.Any,
    };

    RegoType? Find(string name)
    {
        for (TypeScope? scope = this; scope is not null; scope = scope.Parent)
            if (scope._variables.TryGetValue(name, out RegoType? type)) return type;
        return null;
    }

    TypeScope? Parent { get; } = parent;

    RegoType? Array(ArrayTerm array)
    {
        RegoType?[] items = [.. array.Items.Select(Infer)];
        return items.Contains(null) ? null : RegoType.ArrayOf([.. items.OfType<RegoType>()]);
    }

    RegoType? Set(SetTerm set)
    {
        RegoType?[] members = [.. set.Items.Select(Infer)];
        return members.Contains(null) ? null : RegoType.SetOf(members.Aggregate(default(RegoType), RegoType.Or) ?? RegoType.Any);
    }

    RegoType? Object(ObjectTerm o)
    {
        RegoType? key = null, value = null;
        bool isKnown = true;
        foreach ((Term k, Term v) in o.Items)
        {
            RegoType? keyType = Infer(k), valueType = Infer(v);
            isKnown &= keyType is not null && valueType is not null;
            if (k is ConstantTerm) continue;
            key = RegoType.Or(key, keyType);
            value = RegoType.Or(value, valueType);
        }
        return isKnown ? RegoType.ObjectOf(Properties(o, Infer)!, key, value) : null;
    }

    // Of two properties with one key either may be the value: evaluation says which of them is wrong.
    static Dictionary<Value, RegoType?> Properties(ObjectTerm o, Func<Term, RegoType?> type)
    {
        var properties = new Dictionary<Value, RegoType?>();
        foreach ((Term key, Term value) in o.Items)
            if (key is ConstantTerm c) properties[c.Value] = RegoType.Or(properties.GetValueOrDefault(c.Value), type(value));
        return properties;
    }

    RegoType Comprehension(ComprehensionTerm c)
    {
        var inner = new TypeScope(context, types, this);
        inner.Body(c.Body);
        RegoType? key = c.Key is null ? null : inner.Infer(c.Key);
        RegoType value = inner.Infer(c.Value) ?? RegoType.Any;
        return c.Kind switch
        {
            ComprehensionKind.Array => RegoType.ArrayOf(value),
            ComprehensionKind.Set => RegoType.SetOf(value),
            _ => RegoType.ObjectOf([], key ?? RegoType.Any, value),
        };
    }

    RegoType Template(TemplateTerm template)
    {
        foreach (Term part in template.Parts)
        {
            if (part is not TemplateExpression e) continue;
            var inner = new TypeScope(context, types, this);
            inner._isMocked |= e.Withs.Length > 0;
            inner.Infer(e.Value);
        }
        return RegoType.String;
    }

    RegoType Reference(RefTerm reference)
    {
        RegoType type = RegoType.Any;
        int taken = 0;
        if (reference.Head is not VarTerm || Variables.IsVariable((VarTerm)reference.Head)) type = Infer(reference.Head) ?? RegoType.Any;
        else if (!_isMocked && types.Find(reference) is { } rule) (type, taken) = rule;
        else if (!_isMocked && types.IsFunction(reference) is { } named) return Undefined(reference, named - 1, "it is a function, and only its calls have values");
        else if (!_hasOtherInput && Declared(reference) is { } declared) (type, taken) = declared;
        for (int i = taken; i < reference.Path.Length; i++) type = Member(reference, i, type);
        return type;
    }

    // The last that was said of the longest part of the path.
    (RegoType Type, int Taken)? Declared(RefTerm reference)
    {
        (RegoType, int)? best = null;
        foreach ((Value[] path, RegoType type) in Schemas)
        {
            if (path.Length == 0 || !path[0].Equals(Value.From(((VarTerm)reference.Head).Name)) || path.Length - 1 > reference.Path.Length) continue;
            bool leads = true;
            for (int i = 1; i < path.Length; i++) leads &= reference.Path[i - 1] is ConstantTerm c && c.Value.Equals(path[i]);
            if (leads && path.Length - 1 >= (best?.Item2 ?? 0)) best = (type, path.Length - 1);
        }
        return best;
    }

    RegoType Member(RefTerm reference, int index, RegoType of)
    {
        Term part = reference.Path[index];
        RegoType? actual = Infer(part);
        if (of.Keys is not { } keys) return Undefined(reference, index, $"what stands before it is {of}, which has no members");
        if (part is ConstantTerm c)
            return of.Select(c.Value) ?? Undefined(reference, index, Known(of));
        if (!Fits(part, actual, keys)) return Undefined(reference, index, $"it is {actual ?? RegoType.Any}, and keys there are {keys}");
        return of.Values ?? RegoType.Any;
    }

    static string Known(RegoType type) => type is ObjectType { Key: null } o
        ? $"there is {string.Join(", ", o.Properties.Keys.Order().Take(8).Select(k => $"`{(k is StringValue s ? s.Text : k.ToString())}`"))}"
        : $"what stands before it is {type}";

    RegoType Undefined(RefTerm reference, int index, string hint)
    {
        var text = new StringBuilder(reference.Head is VarTerm head ? Resolver.Written(head.Name) : "…");
        foreach (Term part in reference.Path[..(index + 1)])
        {
            if (part is ConstantTerm { Value: StringValue s } && ValueText.IsName(s.Text)) text.Append('.').Append(s.Text);
            else text.Append('[').Append(part is ConstantTerm c ? c.Value.ToString() : part is VarTerm name ? Resolver.Written(name.Name) : "…").Append(']');
        }
        Error(reference.At, $"undefined ref: `{text}`", hint);
        return RegoType.Any;
    }

    RegoType Equation(CallTerm call)
    {
        Position at = TakePlace(call);
        (Term left, Term right) = (call.Args[0], call.Args[1]);
        RegoType? x = Infer(left), y = Infer(right);
        bool holds = (x, y) switch
        {
            (null, null) => TakeBoth(left, right),
            (null, _) => Take(left, y),
            (_, null) => Take(right, x),
            _ => RegoType.Unifies(x, y),
        };
        if (!holds) Mismatch(at, x, y);
        return RegoType.Boolean;
    }

    Position TakePlace(CallTerm call)
    {
        Position at = _place ?? call.At;
        _place = null;
        return at;
    }

    void Mismatch(Position at, RegoType? left, RegoType? right) =>
        Error(at, "match error: the two sides can never be equal", $"the left is {Text(left)}, the right is {Text(right)}");

    static string Text(RegoType? type) => type?.ToString() ?? "a pattern";

    RegoType Call(CallTerm call, Term[] args)
    {
        Position at = TakePlace(call);
        FunctionType? function = _isMocked && call.Operator is RefTerm op && op.HeadIs("data") ? null : types.OfFunction(call);
        for (int i = 0; i < args.Length; i++)
        {
            RegoType? actual = Infer(args[i]);
            if (function is null || i >= function.Args.Length || Fits(args[i], actual, function.Args[i])) continue;
            string name = call.Name ?? "call";
            Error(at, $"{name}: invalid argument {i + 1}", $"it takes {function.Args[i]}, and this is {Text(actual)}");
        }
        return _isMocked ? RegoType.Any : function?.Result ?? RegoType.Any;
    }

    // What is written out is compared part by part: `[{"op": "remove"}]` has not every property of an operation, and may be one.
    bool Fits(Term term, RegoType? actual, RegoType type) =>
        actual is null || term is ArrayTerm or ObjectTerm or SetTerm ? Take(term, type) : RegoType.Unifies(actual, type);

    /// <summary>Whether the term can have the type; a variable of it without one gets it.</summary>
    bool Take(Term term, RegoType type, bool isOneOfSeveral = false)
    {
        switch (term)
        {
            case VarTerm v when Variables.IsVariable(v):
                RegoType? known = Find(v.Name);
                if (known is null || isOneOfSeveral) _variables[v.Name] = isOneOfSeveral ? RegoType.Or(known, type)! : type;
                return known is null || isOneOfSeveral || RegoType.Unifies(known, type);
            case ArrayTerm array when type is ArrayType t:
                return (array.Items.Length == t.Items.Length || t.Rest is not null)
                    && All(array.Items, (item, i) => Take(item, (i < t.Items.Length ? t.Items[i] : t.Rest)!, isOneOfSeveral));
            case ObjectTerm o when type is ObjectType t:
                return (o.Items.Length == t.Properties.Count || t.Value is not null)
                    && All(o.Items, (item, _) => item.Key is not ConstantTerm c ? Take(item.Value, RegoType.Any, isOneOfSeveral)
                        : t.Select(c.Value) is { } property && Take(item.Value, property, isOneOfSeveral));
            case SetTerm set when type is SetType t:
                return All(set.Items, (item, _) => Take(item, t.Member, isOneOfSeveral));
            case ArrayTerm or ObjectTerm or SetTerm when type is UnionType union:
                if (union.OneOf.Length == 0) return TakeAny(term);
                return !All(union.OneOf, (member, _) => !Take(term, member, true));
            case ArrayTerm or ObjectTerm or SetTerm:
                return false;
            default:
                return RegoType.Unifies(InferQuietly(term), type);
        }
    }

    // Every part is visited, so that each variable has its type.
    static bool All<T>(T[] items, Func<T, int, bool> holds)
    {
        bool all = true;
        for (int i = 0; i < items.Length; i++) all &= holds(items[i], i);
        return all;
    }

    // Makes anything of the variables that have no type yet.
    bool TakeAny(Term term)
    {
        if (term is VarTerm) return Take(term, RegoType.Any);
        if (term is ArrayTerm or ObjectTerm or SetTerm)
            foreach (Term part in SyntaxParts.Of(term)) TakeAny(part);
        return true;
    }

    bool TakeBoth(Term left, Term right)
    {
        if (left is ArrayTerm a && right is ArrayTerm b) return a.Items.Length == b.Items.Length && All(a.Items, (item, i) => TakeEither(item, b.Items[i]));
        TakeAny(left);
        TakeAny(right);
        return true;
    }

    bool TakeEither(Term left, Term right) => (InferQuietly(left), InferQuietly(right)) switch
    {
        (null, null) => TakeBoth(left, right),
        (null, { } type) => Take(left, type),
        ({ } type, null) => Take(right, type),
        ({ } x, { } y) => RegoType.Unifies(x, y),
    };

    // What is wrong inside the term was said when it was first looked at.
    RegoType? InferQuietly(Term term)
    {
        int before = context.Errors.Count;
        RegoType? type = Infer(term);
        context.Errors.RemoveRange(before, context.Errors.Count - before);
        return type;
    }

    void Error(Position at, string message, string hint) => context.Errors.Add(at.Error("rego_type_error", message, hint));
}
