using System.Collections.Frozen;
using System.Text.Json;

namespace Talos.Policy;

/// <summary>The role × method table of one bundle revision.</summary>
sealed class Ruleset
{
    const string TablePath = "talos/authz/data.json";

    readonly FrozenDictionary<string, MethodRule> _rules;

    Ruleset(string revision, FrozenDictionary<string, MethodRule> rules)
    {
        Revision = revision;
        _rules = rules;
    }

    public string Revision { get; }

    public static Ruleset Build(PolicyBundle bundle, IReadOnlyCollection<string> methods)
    {
        BundleFile file = bundle.Files.FirstOrDefault(f => f.Path == TablePath)
            ?? throw new PolicyException("bundle_error", TablePath, "the bundle has no rules table");
        var rules = new Dictionary<string, MethodRule>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(file.Content);
            foreach (JsonProperty entry in document.RootElement.GetProperty("methods").EnumerateObject())
                rules[entry.Name] = MethodRule.Read(entry.Name, entry.Value, bundle.Revision);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new PolicyException("bundle_error", TablePath, $"the rules table is malformed: {e.Message}");
        }
        string[] missing = [.. methods.Where(m => !rules.ContainsKey(m)).Order(StringComparer.Ordinal)];
        if (missing.Length > 0) throw PolicyException.MissingMethods(missing);
        return new Ruleset(bundle.Revision, rules.ToFrozenDictionary(StringComparer.Ordinal));
    }

    public Decision Decide(AuthorizationInput input) =>
        _rules.TryGetValue(input.Method, out MethodRule? rule) ? rule.Decide(input.Caller)
            : new Decision(DecisionOutcome.Deny, "no_rule", $"no rule names the method `{input.Method}`", "data.talos.authz.methods", Revision);
}

sealed class MethodRule
{
    readonly string[] _roles;
    readonly bool _anonymous;
    readonly Decision _allow, _deny, _denyAnonymous;

    MethodRule(string[] roles, bool anonymous, Decision allow, Decision deny, Decision denyAnonymous)
    {
        _roles = roles;
        _anonymous = anonymous;
        _allow = allow;
        _deny = deny;
        _denyAnonymous = denyAnonymous;
    }

    public static MethodRule Read(string method, JsonElement entry, string revision)
    {
        string[] roles = [.. entry.GetProperty("roles").EnumerateArray().Select(r => r.GetString()!)];
        bool anonymous = entry.TryGetProperty("anonymous", out JsonElement a) && a.GetBoolean();
        RecordMode record = entry.GetProperty("record").GetString() == "best_effort" ? RecordMode.BestEffort : RecordMode.FailClosed;
        string[] loggable = entry.TryGetProperty("loggable", out JsonElement l) ? [.. l.EnumerateArray().Select(f => f.GetString()!)] : [];
        string rule = $"data.talos.authz.methods[\"{method}\"]";
        string name = method[(method.LastIndexOf('/') + 1)..];
        Decision Make(DecisionOutcome outcome, string id, string sentence) => new(outcome, id, sentence, rule, revision) { RecordMode = record, LoggableFields = loggable };
        return new MethodRule(roles, anonymous,
            Make(DecisionOutcome.Allow, "role_allowed", $"the caller's role may call {name}"),
            Make(DecisionOutcome.Deny, "role_not_allowed", $"{name} needs one of the roles {string.Join(", ", roles)}"),
            Make(DecisionOutcome.Deny, "anonymous_not_allowed", $"{name} needs a client certificate"));
    }

    public Decision Decide(AuthorizationCaller caller)
    {
        if (_anonymous) return _allow;
        if (caller.IsAnonymous) return _denyAnonymous;
        foreach (string role in caller.RoleSpan)
            if (Array.IndexOf(_roles, role) >= 0) return _allow;
        return _deny;
    }
}
