namespace Talos.Policy;

/// <summary>
/// Gives every name its meaning: rules and imports become references below <c>data</c> and <c>input</c>, declared
/// variables become unique within their rule, so that later passes need no scopes.
/// </summary>
sealed partial class Resolver
{
    // Separates a declared variable's name from its number; cannot occur in a name.
    const char Mark = '~';

    readonly IReadOnlySet<string> _rules;
    readonly Term[] _package;
    readonly Dictionary<string, RefTerm> _imports = new(StringComparer.Ordinal);
    readonly HashSet<string> _usedImports = new(StringComparer.Ordinal);
    readonly List<PolicyError> _errors;
    readonly bool _strict;
    int _unique;
    Position _statement;

    Resolver(RefTerm package, IReadOnlySet<string> rules, List<PolicyError> errors, bool strict)
    {
        _package = package.Path;
        _rules = rules;
        _errors = errors;
        _strict = strict;
    }

    /// <param name="module">The module as parsed.</param>
    /// <param name="rules">First names of all rules of the module's package, from every module.</param>
    /// <param name="errors">Receives every error of the module.</param>
    /// <param name="strict">Imports, arguments and assigned variables that nothing uses are errors, as in OPA's strict mode.</param>
    public static List<RuleNodeSyntax> Resolve(ModuleSyntax module, IReadOnlySet<string> rules, List<PolicyError> errors, bool strict)
    {
        var resolver = new Resolver(module.Package, rules, errors, strict);
        resolver.ReadImports(module);
        List<RuleNodeSyntax> resolved = [.. module.Rules.Select(r => resolver.Rule(r, null))];
        if (strict) resolver.ReportUnusedImports(module);
        return resolved;
    }

    void ReportUnusedImports(ModuleSyntax module)
    {
        foreach (ImportSyntax import in module.Imports)
            if (!import.Path.HeadIs("rego") && !import.Path.HeadIs("future") && !_usedImports.Contains(import.Name))
                _errors.Add(import.At.Error("rego_compile_error", $"import `{import.Name}` unused", "remove it"));
    }

    /// <summary>Queries stand in no package; only <c>data</c> and <c>input</c> have a meaning in them.</summary>
    public static Literal[] ResolveQuery(Literal[] query, List<PolicyError> errors)
    {
        var resolver = new Resolver(new RefTerm(Position.None, new VarTerm(Position.None, "data"), []), new HashSet<string>(), errors, false);
        return resolver.Body(query, new Scope(null));
    }

    /// <summary>The name as the author wrote it.</summary>
    public static string Written(string unique) => unique.StartsWith("$_", StringComparison.Ordinal) ? "_" : unique.IndexOf(Mark, StringComparison.Ordinal) is > 0 and int i ? unique[..i] : unique;

    void ReadImports(ModuleSyntax module)
    {
        foreach (ImportSyntax import in module.Imports)
        {
            if (import.Path.HeadIs("rego") || import.Path.HeadIs("future"))
            {
                CheckLanguageImport(import);
                continue;
            }
            if (import.Name is "input" or "data" && import.Path.Path.Length > 0)
                _errors.Add(import.At.Error("rego_compile_error", $"import must not shadow `{import.Name}`", "give it another name with `as`"));
            else if (!_imports.TryAdd(import.Name, import.Path))
                _errors.Add(import.At.Error("rego_compile_error", $"import must not shadow import `{import.Name}`", "give one of them another name with `as`"));
            if (_rules.Contains(import.Name))
                _errors.Add(import.At.Error("rego_compile_error", $"import `{import.Name}` conflicts with a rule of the same name", "give the import another name with `as`"));
        }
    }

    void CheckLanguageImport(ImportSyntax import)
    {
        string name = import.Path.DottedName ?? "";
        if (name is "rego.v1" or "rego.v2" or "future.keywords"
            || (name.StartsWith("future.keywords.", StringComparison.Ordinal) && name[16..] is "in" or "every" or "if" or "contains" or "not" or "and" or "or"))
        {
            if (import.Alias is not null && name != "rego.v1") _errors.Add(import.At.Error("rego_parse_error", $"`{name}` imports cannot be aliased"));
            return;
        }
        _errors.Add(import.At.Error("rego_parse_error", $"invalid import `{name}`", "known are rego.v1, rego.v2 and future.keywords"));
    }

    RuleNodeSyntax Rule(RuleNodeSyntax rule, Scope? shared)
    {
        _statement = rule.At;
        if (shared is null) _unique = 0;
        Scope scope = new(shared) { Declares = DeclaredIn(rule.Body) };
        Term[]? args = rule.Head.Args;
        var extra = new List<Literal>();
        if (shared is null && rule.Head.Name.Head is VarTerm { Name: "input" or "data" } shadow)
            _errors.Add(rule.At.Error("rego_compile_error", $"rules must not shadow `{shadow.Name}`", "use a different rule name"));
        Scope argScope = scope;
        if (args is not null && shared is null)
        {
            argScope = new Scope(null);
            foreach (Term arg in args) DeclareArgument(arg, argScope);
            args = [.. args.Select(a => Argument(a, argScope, extra))];
            foreach ((_, Scope.Variable argument) in argScope.Declared) argument.Used = false;
        }
        if (args is not null) scope = new Scope(argScope) { Args = shared ?? argScope, Declares = scope.Declares };
        Literal[] body = [.. Body(rule.Body, scope), .. extra];
        RuleHead head = rule.Head;
        Term[] path = [.. head.Name.Path.Select(p => Term(p, scope))];
        var name = new RefTerm(head.Name.At, new VarTerm(head.Name.At, "data"), [.. _package, new ConstantTerm(head.Name.At, Value.From(((VarTerm)head.Name.Head).Name)), .. path]);
        Term? key = head.Key is null ? null : Term(head.Key, scope);
        Term? value = head.Value is null ? null : Term(head.Value, scope);
        RuleNodeSyntax? otherwise = rule.Else is null ? null : Rule(WithArgs(rule.Else, args), argScope);
        ReportUnused(scope);
        if (_strict && args is not null && shared is null) ReportUnusedArguments(argScope, head.At);
        var resolved = new RuleNodeSyntax(rule.At, rule.End, rule.IsDefault, new RuleHead(head.At, name, args, key, value), body, otherwise);
        resolved.Annotations.AddRange(rule.Annotations);
        return resolved;
    }

    static RuleNodeSyntax WithArgs(RuleNodeSyntax rule, Term[]? args) =>
        new(rule.At, rule.End, rule.IsDefault, new RuleHead(rule.Head.At, rule.Head.Name, args, rule.Head.Key, rule.Head.Value), rule.Body, rule.Else);

    // An argument that computes (a call, a reference, a template) becomes a variable and an equation in the body.
    Term Argument(Term arg, Scope scope, List<Literal> extra)
    {
        switch (arg)
        {
            case VarTerm or ConstantTerm:
                return Term(arg, scope);
            case ArrayTerm array:
                return new ArrayTerm(arg.At, [.. array.Items.Select(i => Argument(i, scope, extra))]);
            case ObjectTerm o:
                return new ObjectTerm(arg.At, [.. o.Items.Select(i => (Term(i.Key, scope), Argument(i.Value, scope, extra)))]);
            default:
                var variable = new VarTerm(arg.At, $"$arg{_unique++}");
                extra.Add(new TermLiteral(arg.At, false, new CallTerm(arg.At, new VarTerm(arg.At, "eq"), [variable, Term(arg, scope)], true), []));
                return variable;
        }
    }

    void DeclarePattern(Term pattern, Scope scope, bool byAssignment)
    {
        switch (pattern)
        {
            case VarTerm { IsGenerated: false } v:
                Declare(v, scope, byAssignment);
                break;
            case ArrayTerm array:
                foreach (Term item in array.Items) DeclarePattern(item, scope, byAssignment);
                break;
            case ObjectTerm o:
                foreach ((_, Term value) in o.Items) DeclarePattern(value, scope, byAssignment);
                break;
        }
    }

    // A variable may stand in several places of the arguments.
    void DeclareArgument(Term pattern, Scope scope)
    {
        switch (pattern)
        {
            case VarTerm { IsGenerated: false } v:
                if (scope.FindHere(v.Name) is null) Declare(v, scope, false);
                break;
            case ArrayTerm array:
                foreach (Term item in array.Items) DeclareArgument(item, scope);
                break;
            case ObjectTerm o:
                foreach ((_, Term value) in o.Items) DeclareArgument(value, scope);
                break;
        }
    }

    Scope.Variable? Declare(VarTerm v, Scope scope, bool byAssignment)
    {
        if (v.Name is "input" or "data")
        {
            _errors.Add(v.At.Error("rego_compile_error", $"variables must not shadow `{v.Name}`", "use a different variable name"));
            return null;
        }
        Scope.Variable? before = scope.FindHere(v.Name) ?? scope.Args?.FindHere(v.Name);
        if (before is not null)
        {
            before.Used = true; // one mistake, one error
            string problem = scope.FindHere(v.Name) is null ? $"arg `{v.Name}` redeclared"
                : $"var `{v.Name}` {(before.ByAssignment ? "assigned" : "declared")} above";
            _errors.Add(v.At.Error("rego_compile_error", problem));
            return null;
        }
        if (scope.Seen.Contains(v.Name)) _errors.Add(v.At.Error("rego_compile_error", $"var `{v.Name}` referenced above", "declare it before its first use"));
        var declared = new Scope.Variable($"{v.Name}{Mark}{++_unique}", _statement, byAssignment);
        scope.Declare(v.Name, declared);
        return declared;
    }

    void ReportUnused(Scope scope)
    {
        foreach ((string name, Scope.Variable variable) in scope.Declared)
        {
            if (variable.Used || variable.At.Source.Text.Length == 0) continue;
            if (_someDeclared.Contains(variable)) _errors.Add(variable.At.Error("rego_compile_error", $"declared var `{name}` unused"));
            else if (_strict && variable.ByAssignment)
                _errors.Add(variable.At.Error("rego_compile_error", $"assigned var `{name}` unused", "remove it, or use it"));
        }
    }

    void ReportUnusedArguments(Scope args, Position head)
    {
        foreach ((string name, Scope.Variable argument) in args.Declared)
            if (!argument.Used) _errors.Add(head.Error("rego_compile_error", $"unused argument `{name}`", "use `_` instead"));
    }

    // Everything in the body but what comprehensions declare for themselves.
    static HashSet<string> DeclaredIn(Literal[] body)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (Literal literal in body) DeclaredIn(literal, names);
        return names;
    }

    static void DeclaredIn(Literal literal, HashSet<string> names)
    {
        switch (literal)
        {
            case TermLiteral { Term: CallTerm { Name: "assign", Args.Length: 2 } assign }:
                Variables.Direct(assign.Args[0], names);
                break;
            case SomeLiteral { Member: { } member }:
                foreach (Term pattern in member.Args[..^1]) Variables.Direct(pattern, names);
                break;
            case SomeLiteral some:
                names.UnionWith(some.Vars.Select(v => v.Name));
                break;
            case EveryLiteral every:
                foreach (Literal inner in every.Body) DeclaredIn(inner, names);
                break;
        }
    }

    readonly HashSet<Scope.Variable> _someDeclared = [];
}
