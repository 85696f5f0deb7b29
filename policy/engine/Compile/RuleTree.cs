namespace Talos.Policy;

/// <summary>Places all rules of all modules in one tree below <c>data</c>.</summary>
static class RuleTree
{
    public static DocNode Build(IReadOnlyList<ModuleSyntax> modules, List<PolicyError> errors, bool strict)
    {
        var root = new DocNode(null, null);
        var names = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (ModuleSyntax module in modules)
        {
            string package = ValueText.Reference("data", [.. module.PackagePath.Select(Value.From)]);
            if (!names.TryGetValue(package, out HashSet<string>? rules)) names.Add(package, rules = new(StringComparer.Ordinal));
            foreach (RuleNodeSyntax rule in module.Rules)
                if (rule.Head.Name.Head is VarTerm name) rules.Add(name.Name);
        }
        foreach (ModuleSyntax module in modules)
        {
            DocNode package = root;
            foreach (string part in module.PackagePath) package = package.Child(Value.From(part));
            HashSet<string> rules = names[ValueText.Reference("data", package.Path)];
            foreach (RuleNodeSyntax rule in Resolver.Resolve(module, rules, errors, strict)) Place(root, module, rule, errors);
        }
        return root;
    }

    static void Place(DocNode root, ModuleSyntax module, RuleNodeSyntax rule, List<PolicyError> errors)
    {
        RuleHead head = rule.Head;
        Term[] path = head.Name.Path;
        int ground = path.TakeWhile(p => p is ConstantTerm).Count();
        DocNode node = root;
        foreach (Term part in path[..ground]) node = node.Child(((ConstantTerm)part).Value);
        RuleKind kind = head.Args is not null ? RuleKind.Function
            : head.Key is not null ? RuleKind.PartialSet
            : ground == path.Length ? RuleKind.Complete : RuleKind.PartialObject;
        if (ground < path.Length && kind == RuleKind.Function) errors.Add(rule.At.Error("rego_compile_error", "a function's name must be ground"));
        if (ground < path.Length && rule.IsDefault) errors.Add(rule.At.Error("rego_parse_error", "default rules must not have variables in their name"));
        if (rule.IsDefault) CheckDefault(rule, errors);
        node.Rules.Add(new RuleDefinition(rule, module, kind, path[ground..]) { Node = node });
    }

    static void CheckDefault(RuleNodeSyntax rule, List<PolicyError> errors)
    {
        if (rule.Head.Args is { } args)
        {
            foreach (Term arg in args)
                if (arg is not VarTerm)
                    errors.Add(rule.At.Error("rego_parse_error", "illegal default rule (arguments must be variables)", "write `default f(_) := value`"));
            if (args.OfType<VarTerm>().GroupBy(v => v.Name).FirstOrDefault(g => g.Count() > 1) is { Key: var repeated })
                errors.Add(rule.At.Error("rego_parse_error", $"illegal default rule (arguments cannot be repeated: `{Resolver.Written(repeated)}`)"));
        }
        if (rule.Head.Value is { } value && !IsConstant(value))
            errors.Add(rule.At.Error("rego_parse_error", "illegal default rule (value must be ground)", "a default cannot depend on input, data or variables"));
    }

    static bool IsConstant(Term term) => term switch
    {
        ConstantTerm or ComprehensionTerm => true,
        ArrayTerm a => a.Items.All(IsConstant),
        SetTerm s => s.Items.All(IsConstant),
        ObjectTerm o => o.Items.All(i => IsConstant(i.Key) && IsConstant(i.Value)),
        _ => false,
    };

    /// <summary>A rule and a package cannot have one name, even if the package has no rules.</summary>
    public static void CheckPackages(IReadOnlyList<ModuleSyntax> modules, DocNode root, List<PolicyError> errors)
    {
        foreach (ModuleSyntax module in modules)
        {
            if (module.Rules.Length > 0) continue; // its rules are below the other, which is said of them
            DocNode? node = root;
            foreach (string part in module.PackagePath) node = node?.Children.GetValueOrDefault(Value.From(part));
            if (node?.Rules.Find(r => r.DynamicPath.Length == 0) is { } rule)
                errors.Add(rule.Module.Package.At.Error("rego_type_error", $"package `{node}` conflicts with the rule of that name",
                    $"the rule is at {rule.Syntax.At}, the package at {module.Package.At}"));
        }
    }

    public static void CheckConflicts(DocNode root, List<PolicyError> errors)
    {
        foreach (DocNode node in root.Subtree)
        {
            if (!node.HasRules) continue;
            RuleDefinition first = node.Rules[0];
            RuleDefinition? other = node.Rules.Find(r => r.Kind != first.Kind && !(IsOpen(r) && IsOpen(first)));
            if (other is not null)
                errors.Add(first.Syntax.At.Error("rego_type_error", $"conflicting rules `{node}` found", $"one of another kind is at {other.Syntax.At}"));
            if (first.Kind == RuleKind.Function && node.Rules.Find(r => r.Kind == RuleKind.Function && r.Syntax.Head.Args!.Length != first.Syntax.Head.Args!.Length) is { } arity)
                errors.Add(first.Syntax.At.Error("rego_type_error", $"conflicting rules `{node}` found",
                    $"all definitions of a function take the same number of arguments, and that at {arity.Syntax.At} takes another"));
            RuleDefinition[] defaults = [.. node.Rules.Where(r => r.IsDefault)];
            if (defaults.Length > 1)
                errors.Add(defaults[0].Module.Package.At.Error("rego_type_error", $"multiple default rules `{node}` found",
                    $"at {string.Join(", ", defaults.Select(d => d.Syntax.At))}"));
            if (first.Kind is RuleKind.Complete or RuleKind.Function || node.Rules.Any(r => r.Kind == RuleKind.PartialSet && r.DynamicPath.Length == 0))
                CheckBelow(node, first, errors);
        }
    }

    // Parts with variables in their names share a document with each other, as long as they end deeper.
    static bool IsOpen(RuleDefinition rule) => rule.DynamicPath.Length > 0;

    static void CheckBelow(DocNode node, RuleDefinition rule, List<PolicyError> errors)
    {
        DocNode? below = node.Subtree.Skip(1).FirstOrDefault(n => n.HasRules);
        if (below is null) return;
        errors.Add(rule.Syntax.At.Error("rego_type_error", $"rule `{node}` conflicts with `{below}`", $"the other is at {below.Rules[0].Syntax.At}"));
    }
}
