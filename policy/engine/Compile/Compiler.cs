namespace Talos.Policy;

/// <summary>Modules and data in, a program or all their errors out.</summary>
static class Compiler
{
    public static Program? Compile(IEnumerable<(string File, string Text)> sources, Value data, List<PolicyError> errors, bool withCoverage = false, bool strict = false)
    {
        int before = errors.Count;
        var modules = new List<ModuleSyntax>();
        foreach ((string file, string text) in sources)
            if (Parser.ParseModule(file, text, errors) is { } module) modules.Add(module);
        if (errors.Count > before) return null;
        return Compile(modules, data, errors, withCoverage, strict);
    }

    public static Program? Compile(IReadOnlyList<ModuleSyntax> modules, Value data, List<PolicyError> errors, bool withCoverage = false, bool strict = false)
    {
        int before = errors.Count;
        DocNode root = RuleTree.Build(modules, errors, strict);
        RuleTree.CheckConflicts(root, errors);
        RuleTree.CheckPackages(modules, root, errors);
        Metadata.CheckUnique(modules, errors);
        if (errors.Count > before) return null;
        Recursion.Check(root, errors);
        if (errors.Count > before) return null;
        var context = new CompilerContext(root, data, modules, errors) { WithCoverage = withCoverage };
        DocNode[] nodes = [.. root.Subtree];
        CallChecker.Check(context, nodes);
        if (errors.Count > before) return null;
        int id = 0;
        foreach (DocNode node in nodes)
        {
            if (!node.HasRules) continue;
            node.Id = id++;
            CompileNode(context, node);
        }
        if (errors.Count == before) TypeChecker.Check(context, nodes);
        if (errors.Count > before) return null;
        return new Program(root, data, modules);
    }

    public static Query? CompileQuery(Program program, string text, List<PolicyError> errors)
    {
        int before = errors.Count;
        Literal[]? parsed = Parser.ParseQuery(text, errors);
        if (parsed is null) return null;
        Literal[] body = Resolver.ResolveQuery(parsed, errors);
        var context = new CompilerContext(program.Root, program.Data, program.Modules, errors);
        CallChecker.Check(context, body);
        if (errors.Count > before) return null;
        var slots = new SlotTable();
        var compiler = new BodyCompiler(context, slots, new VariableSet(null), new VariableSet(null), null);
        compiler.Body(body);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (Literal literal in body) Variables.Direct(literal, names);
        string[] visible = [.. names.Where(n => n[0] != '$' && compiler.Bound.Contains(n)).Order(StringComparer.Ordinal)];
        Step first = compiler.Finish(new YieldStep([.. visible.Select(Resolver.Written)], [.. visible.Select(slots.Slot)]));
        return errors.Count > before ? null : new Query(first, slots.Slots, slots.Cells);
    }

    static void CompileNode(CompilerContext context, DocNode node)
    {
        var rules = new List<CompiledRule>();
        CompiledRule? defaultRule = null;
        foreach (RuleDefinition definition in node.Rules)
        {
            definition.Compiled = CompileRule(context, definition);
            if (definition.IsDefault) defaultRule = definition.Compiled;
            else rules.Add(definition.Compiled);
        }
        RuleIndex? index = RuleIndex.Build([.. rules.Select(r => (r, IndexTests.Find(r.Definition)))]);
        node.Compiled = new NodeRules(node, [.. rules], defaultRule, index);
    }

    static CompiledRule CompileRule(CompilerContext context, RuleDefinition definition)
    {
        var slots = new SlotTable();
        RuleNodeSyntax syntax = definition.Syntax;
        Term[] args = syntax.Head.Args ?? [];
        var bound = new VariableSet(null);
        var argSlots = new int[args.Length];
        var prologue = new BodyCompiler(context, slots, bound, new VariableSet(null), definition);
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] is VarTerm v && bound.Add(v.Name))
            {
                argSlots[i] = slots.Slot(v.Name);
                continue;
            }
            argSlots[i] = slots.Temporary();
        }
        bool matches = false;
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] is VarTerm v && slots.Slot(v.Name) == argSlots[i]) continue;
            prologue.Match(args[i], argSlots[i]);
            matches = true;
        }
        Step? argMatch = matches ? prologue.Finish(new FoundStep()) : null;
        var chain = new List<(Step, Position)>();
        Value? constant = null;
        for (RuleNodeSyntax? part = syntax; part is not null; part = part.Else)
        {
            var compiler = new BodyCompiler(context, slots, new VariableSet(bound), new VariableSet(bound), definition);
            compiler.Body(part.Body);
            chain.Add((compiler.Finish(Last(compiler, definition, part, ref constant)), part.At));
        }
        return new CompiledRule(definition, slots.Slots, slots.Cells, argSlots, argMatch, [.. chain]) { Constant = syntax.Else is null ? constant : null };
    }

    static Step Last(BodyCompiler compiler, RuleDefinition definition, RuleNodeSyntax part, ref Value? constant)
    {
        RuleHead head = part.Head;
        Term valueTerm = head.Value ?? new ConstantTerm(head.At, BooleanValue.True);
        compiler.Place = part.At;
        switch (definition.Kind)
        {
            case RuleKind.PartialSet:
                Expr[] setPath = [.. definition.DynamicPath.Select(compiler.Expression)];
                return new PartialStep(setPath, compiler.Expression(head.Key!), true);
            case RuleKind.PartialObject:
                Expr[] path = [.. definition.DynamicPath.Select(compiler.Expression)];
                return new PartialStep(path, compiler.Expression(valueTerm), false);
            default:
                Expr value = compiler.Expression(valueTerm);
                constant = (value as ConstantExpr)?.Value;
                return new ResultStep(value, constant is not null, definition.Kind == RuleKind.Function
                    ? $"{definition.Node}: functions must not produce multiple outputs for same inputs" : $"{definition.Node}: complete rules must not produce multiple outputs");
        }
    }
}
