using System.Text.Json.Nodes;
using Xunit;

namespace Talos.Policy.Tests;

/// <summary>What OPA says of itself, in the form in which a tool asks it: names, declarations, keywords and features.</summary>
public sealed class CapabilityTests
{
    static readonly JsonNode Capabilities = JsonNode.Parse(File.ReadAllText(Path.Combine(Shipped.Root, "tests", "vectors", "policy", "capabilities", "v1.20.2.json")))!;

    static IEnumerable<(string Name, JsonNode Decl, JsonNode Entry)> Builtins =>
        Capabilities["builtins"]!.AsArray().Select(b => ((string)b!["name"]!, b["decl"]!, b));

    [Fact]
    public void Has_every_builtin_with_its_types()
    {
        var wrong = new List<string>();
        foreach ((string name, JsonNode decl, _) in Builtins)
        {
            if (BuiltinRegistry.Find(name) is not { } builtin)
            {
                wrong.Add($"{name}: not there");
                continue;
            }
            string[] args = [.. (decl["args"]?.AsArray() ?? []).Select(a => Declared(a!))];
            int arity = decl["variadic"] is null ? args.Length : -1;
            if (builtin.Arity != arity) wrong.Add($"{name}: takes {builtin.Arity} arguments, not {arity}");
            // What gives nothing has no type: no expression may use it.
            if (decl["result"] is not { } result)
            {
                if (BuiltinTypes.Find(name) is not null) wrong.Add($"{name}: has a type");
                continue;
            }
            string expected = string.Join(", ", args.Append(Declared(result)));
            string actual = BuiltinTypes.Find(name) is { } type ? string.Join(", ", type.Args.Append(type.Result).Select(Ours)) : "no type";
            if (actual != expected) wrong.Add($"{name}: {actual}, not {expected}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal(206, Builtins.Count());
    }

    [Fact]
    public void Takes_none_for_certain_that_may_answer_differently()
    {
        foreach ((string name, _, JsonNode entry) in Builtins)
            if (entry["nondeterministic"] is not null) Assert.False(BuiltinRegistry.Find(name)!.IsPure, name);
    }

    [Fact]
    public void Refuses_every_deprecated_builtin()
    {
        string[] deprecated = [.. Builtins.Where(b => b.Entry["deprecated"] is not null).Select(b => b.Name)];
        Assert.Equal(11, deprecated.Length);
        foreach (string name in deprecated)
        {
            int arity = BuiltinRegistry.Find(name)!.Arity;
            string call = $"{name}({string.Join(", ", Enumerable.Range(0, arity).Select(i => $"input.a{i}"))})";
            PolicyError error = Assert.Single(Assert.Throws<PolicyException>(() => RegoProgram.Compile([("a.rego", $"package a\np if {call}\n")])).Errors);
            Assert.Equal("rego_type_error", error.Code);
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("keywords_in_refs", "x := input.if.else.package\np := {\"a\": x} if data.some.default.with")]
    [InlineData("rego_v1", "import rego.v1\np contains x if some x in [1]")]
    [InlineData("template_strings", "p := $\"{1 + 1} is two\"")]
    [InlineData("and", "import future.keywords.and\np if { true and true }")]
    [InlineData("or", "import future.keywords.or\np if { false or true }")]
    [InlineData("not", "import future.keywords.not\np if { not { false } }")]
    public void Has_every_feature_and_keyword(string feature, string module)
    {
        Assert.Contains(feature, Capabilities["features"]!.AsArray().Concat(Capabilities["future_keywords"]!.AsArray()).Select(f => (string)f!));
        RegoProgram.Compile([("a.rego", $"package a\n{module}\n")]);
    }

    [Fact]
    public void Lists_no_feature_that_is_not_tried() =>
        Assert.Equal(6, Capabilities["features"]!.AsArray().Count + Capabilities["future_keywords"]!.AsArray().Count);

    static string Declared(JsonNode type)
    {
        switch ((string)type["type"]!)
        {
            case "any": return type["of"] is { } of ? Union(of.AsArray().Select(t => Declared(t!))) : "any";
            case "set": return $"set({Declared(type["of"]!)})";
            case "array":
                return $"array({string.Join(",", (type["static"]?.AsArray() ?? []).Select(t => Declared(t!)))};{(type["dynamic"] is { } rest ? Declared(rest) : "")})";
            case "object":
                IEnumerable<string> known = (type["static"]?.AsArray() ?? []).Select(p => $"{p!["key"]}={Declared(p["value"]!)}");
                string open = type["dynamic"] is { } other ? $"{Declared(other["key"]!)}:{Declared(other["value"]!)}" : "";
                return $"object({string.Join(",", known)};{open})";
            default: return (string)type["type"]!;
        }
    }

    static string Ours(RegoType type) => type switch
    {
        UnionType { OneOf.Length: 0 } => "any",
        UnionType union => Union(union.OneOf.Select(Ours)),
        SetType set => $"set({Ours(set.Member)})",
        ArrayType array => $"array({string.Join(",", array.Items.Select(Ours))};{(array.Rest is null ? "" : Ours(array.Rest))})",
        ObjectType o => $"object({string.Join(",", o.Properties.OrderBy(p => p.Key).Select(p => $"{((StringValue)p.Key).Text}={Ours(p.Value)}"))};"
            + $"{(o.Key is null ? "" : $"{Ours(o.Key)}:{Ours(o.Value!)}")})",
        _ => type.ToString(),
    };

    static string Union(IEnumerable<string> members)
    {
        string[] sorted = [.. members.Order(StringComparer.Ordinal)];
        return sorted.Length == 1 ? sorted[0] : $"({string.Join('|', sorted)})";
    }
}
