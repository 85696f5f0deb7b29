namespace Talos.Policy;

/// <summary>A module's syntax as the document that <c>rego.parse_module</c> gives.</summary>
static class AstDocument
{
    public static ObjectValue Write(ModuleSyntax module)
    {
        var members = new Dictionary<Value, Value> { [Value.From("package")] = ObjectValue.From(("path", Path(module.Package))) };
        if (module.Imports.Length > 0) members[Value.From("imports")] = new ArrayValue([.. module.Imports.Select(Import)]);
        if (module.Rules.Length > 0) members[Value.From("rules")] = new ArrayValue([.. module.Rules.Select(Rule)]);
        return ObjectValue.From(members);
    }

    static ObjectValue Typed(string type, Value value) => ObjectValue.From(("type", Value.From(type)), ("value", value));

    static ArrayValue Path(RefTerm r) => new([Term(r.Head), .. r.Path.Select(Term)]);

    static ObjectValue Import(ImportSyntax import)
    {
        ObjectValue path = ObjectValue.From(("path", Typed("ref", Path(import.Path))));
        return import.Alias is null ? path : path.With(Value.From("alias"), Value.From(import.Alias));
    }

    static ObjectValue Rule(RuleNodeSyntax rule)
    {
        var head = new Dictionary<Value, Value> { [Value.From("name")] = Value.From(((VarTerm)rule.Head.Name.Head).Name), [Value.From("ref")] = Path(rule.Head.Name) };
        if (rule.Head.Args is { } args) head[Value.From("args")] = Terms(args);
        if (rule.Head.Key is { } key) head[Value.From("key")] = Term(key);
        else head[Value.From("value")] = rule.Head.Value is { } value ? Term(value) : Typed("boolean", BooleanValue.True);
        var members = new Dictionary<Value, Value> { [Value.From("head")] = ObjectValue.From(head), [Value.From("body")] = Body(rule.Body) };
        if (rule.IsDefault) members[Value.From("default")] = BooleanValue.True;
        if (rule.Else is { } otherwise) members[Value.From("else")] = Rule(otherwise);
        return ObjectValue.From(members);
    }

    static ArrayValue Body(Literal[] body) => new([.. body.Select(Literal)]);

    static ObjectValue Literal(Literal literal, int index)
    {
        Value terms = literal switch
        {
            TermLiteral { Term: CallTerm c } => new ArrayValue([Operator(c), .. c.Args.Select(Term)]),
            TermLiteral t => Term(t.Term),
            SomeLiteral { Member: { } member } => ObjectValue.From(("symbols", new ArrayValue(Typed("call", new ArrayValue([Operator(member), .. member.Args.Select(Term)]))))),
            SomeLiteral s => ObjectValue.From(("symbols", Terms(s.Vars))),
            EveryLiteral e => ObjectValue.From(("key", e.Key is null ? NullValue.Instance : Term(e.Key)), ("value", Term(e.Value)), ("domain", Term(e.Domain)), ("body", Body(e.Body))),
            LogicalLiteral { Kind: LogicalKind.Not } n => ObjectValue.From(("type", Value.From("not")), ("body", Body(n.Operands[0].Body))),
            LogicalLiteral l => ObjectValue.From(
                ("type", Value.From(l.Kind == LogicalKind.And ? "and" : "or")), ("lhs", Body(l.Operands[0].Body)), ("rhs", Body(l.Operands[1].Body))),
            _ => NullValue.Instance,
        };
        ObjectValue document = ObjectValue.From(("index", Value.From(index)), ("terms", terms));
        if (literal is TermLiteral { Negated: true }) document = document.With(Value.From("negated"), BooleanValue.True);
        if (literal.Withs.Length > 0)
            document = document.With(Value.From("with"), new ArrayValue([.. literal.Withs.Select(w => ObjectValue.From(("target", Term(w.Target)), ("value", Term(w.Value))))]));
        return document;
    }

    static ArrayValue Terms(Term[] terms) => new([.. terms.Select(Term)]);

    static ObjectValue Operator(CallTerm call) => call.Operator is RefTerm r ? Typed("ref", Path(r)) : Typed("ref", new ArrayValue(Term(call.Operator)));

    static Value Term(Term term) => term switch
    {
        ConstantTerm c => Typed(c.Value.TypeName, c.Value),
        VarTerm v => Typed("var", Value.From(v.IsWildcard ? "$" + v.Name[2..] : v.Name)),
        RefTerm r => Typed("ref", Path(r)),
        ArrayTerm a => Typed("array", Terms(a.Items)),
        SetTerm s => Typed("set", Terms(s.Items)),
        ObjectTerm o => Typed("object", new ArrayValue([.. o.Items.Select(i => new ArrayValue(Term(i.Key), Term(i.Value)))])),
        CallTerm c => Typed("call", new ArrayValue([Operator(c), .. c.Args.Select(Term)])),
        ComprehensionTerm { Kind: ComprehensionKind.Array } c => Typed("arraycomprehension", ObjectValue.From(("term", Term(c.Value)), ("body", Body(c.Body)))),
        ComprehensionTerm { Kind: ComprehensionKind.Set } c => Typed("setcomprehension", ObjectValue.From(("term", Term(c.Value)), ("body", Body(c.Body)))),
        ComprehensionTerm c => Typed("objectcomprehension", ObjectValue.From(("key", Term(c.Key!)), ("value", Term(c.Value)), ("body", Body(c.Body)))),
        TemplateTerm t => Typed("templatestring", Terms(t.Parts)),
        TemplateExpression e => Term(e.Value),
        _ => NullValue.Instance,
    };
}
