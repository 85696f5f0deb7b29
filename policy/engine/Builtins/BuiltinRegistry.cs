using System.Collections.Frozen;

namespace Talos.Policy;

/// <summary>All builtins by name.</summary>
static class BuiltinRegistry
{
    static readonly FrozenDictionary<string, Builtin> All = new IEnumerable<Builtin>[]
    {
        ComparisonBuiltins.All, NumberBuiltins.All, AggregateBuiltins.All, CollectionBuiltins.All, ObjectBuiltins.All, TypeBuiltins.All,
        StringBuiltins.All, RegexBuiltins.All, EncodingBuiltins.All, JsonPathBuiltins.All, TimeBuiltins.All, NetBuiltins.All, GraphBuiltins.All,
        GlobBuiltins.All, SemverBuiltins.All, UnitBuiltins.All, UuidBuiltins.All, CryptoBuiltins.All, CertificateBuiltins.All, TokenBuiltins.All,
        SchemaBuiltins.All, GraphQLBuiltins.All, AwsBuiltins.All, TemplateBuiltins.All, UriBuiltins.All, HostBuiltins.All,
    }.SelectMany(b => b).ToFrozenDictionary(b => b.Name, StringComparer.Ordinal);

    public static Builtin? Find(string name) => All.GetValueOrDefault(name);

    public static bool Exists(string name) => All.ContainsKey(name);

    public static IEnumerable<Builtin> Everything => All.Values;
}
