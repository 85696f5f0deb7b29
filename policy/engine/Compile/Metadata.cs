namespace Talos.Policy;

/// <summary>What <c>rego.metadata.rule()</c> and <c>rego.metadata.chain()</c> answer, known when compiling.</summary>
static class Metadata
{
    public static Value Find(CompilerContext context, RuleDefinition? rule, string name)
    {
        if (rule is null) return name == "rego.metadata.chain" ? ArrayValue.Empty : ObjectValue.Empty;
        Annotation? own = rule.Syntax.Annotations.Find(a => a.Scope == "rule");
        Annotation? document = rule.Node!.Rules.SelectMany(r => r.Syntax.Annotations).FirstOrDefault(a => a.Scope == "document");
        if (name == "rego.metadata.rule") return own?.Document ?? (rule.Syntax.Annotations.Find(a => a.Scope == "document")?.Document ?? ObjectValue.Empty);
        var chain = new List<Value>();
        string[] package = [.. rule.Module.PackagePath];
        Value path = new ArrayValue([.. rule.Syntax.Head.Name.Path.Select(p => p is ConstantTerm c ? c.Value : Value.From(Describe(p)))]);
        if (own is not null || document is null || !rule.Syntax.Annotations.Contains(document)) chain.Add(Entry(path, own));
        if (document is not null) chain.Add(Entry(path, document));
        Add(context, chain, package, "package");
        for (int length = package.Length; length > 0; length--) Add(context, chain, package[..length], "subpackages");
        return new ArrayValue([.. chain]);
    }

    /// <summary>A document, a package and what is below it have one annotation each.</summary>
    public static void CheckUnique(IReadOnlyList<ModuleSyntax> modules, List<PolicyError> errors)
    {
        var seen = new Dictionary<(string, string), Position>();
        void Note(Annotation annotation, string path)
        {
            if (annotation.Scope == "rule" || seen.TryAdd((annotation.Scope, path), annotation.At)) return;
            errors.Add(annotation.At.Error("rego_type_error", $"{annotation.Scope} annotation redeclared",
                $"the first is at {seen[(annotation.Scope, path)]}"));
        }
        foreach (ModuleSyntax module in modules)
        {
            string package = ValueText.Reference("data", [.. module.PackagePath.Select(Value.From)]);
            foreach (Annotation annotation in module.Annotations) Note(annotation, package);
            foreach (RuleNodeSyntax rule in module.Rules)
            {
                IEnumerable<Value> ground = rule.Head.Name.Path.TakeWhile(p => p is ConstantTerm).Select(p => ((ConstantTerm)p).Value);
                string path = package + ValueText.Reference(((VarTerm)rule.Head.Name.Head).Name, [.. ground]);
                foreach (Annotation annotation in rule.Annotations) Note(annotation, path);
            }
        }
    }

    static void Add(CompilerContext context, List<Value> chain, string[] package, string scope)
    {
        Annotation? found = context.Modules.Where(m => m.PackagePath.SequenceEqual(package)).SelectMany(m => m.Annotations).FirstOrDefault(a => a.Scope == scope);
        if (found is not null) chain.Add(Entry(new ArrayValue([.. package.Select(Value.From)]), found));
    }

    static ObjectValue Entry(Value path, Annotation? annotation) => annotation is null
        ? ObjectValue.From(("path", path)) : ObjectValue.From(("annotations", annotation.Document), ("path", path));

    static string Describe(Term term) => term is VarTerm v ? Resolver.Written(v.Name) : "_";
}
