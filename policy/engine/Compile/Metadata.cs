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

    static void Add(CompilerContext context, List<Value> chain, string[] package, string scope)
    {
        Annotation? found = context.Modules.Where(m => m.PackagePath.SequenceEqual(package)).SelectMany(m => m.Annotations).FirstOrDefault(a => a.Scope == scope);
        if (found is not null) chain.Add(Entry(new ArrayValue([.. package.Select(Value.From)]), found));
    }

    static ObjectValue Entry(Value path, Annotation? annotation) => annotation is null
        ? ObjectValue.From(("path", path)) : ObjectValue.From(("annotations", annotation.Document), ("path", path));

    static string Describe(Term term) => term is VarTerm v ? Resolver.Written(v.Name) : "_";
}
