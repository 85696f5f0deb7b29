using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Talos.Policy;

/// <summary>
/// Decides every certificate under the bundle in force, by <c>data.talos.issuance.decision</c>: who gets which names, addresses and roles,
/// and for how long. Thread-safe; a decision is made wholly under one revision.
/// </summary>
public sealed class IssuancePolicy
{
    /// <summary>No policy makes a certificate live longer: what cannot be renewed within a month is not looked after.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromDays(30);

    static readonly TimeSpan ShortestLife = TimeSpan.FromMinutes(1);
    static readonly Value[] WaysPath = [Value.From("talos"), Value.From("issuance"), Value.From("ways")];

    const string EntryPoint = "data.talos.issuance.decision = decision";
    const string EvaluationFailed = "evaluation-failed";

    readonly string[] _ways;
    volatile Rules _rules;

    IssuancePolicy(string[] ways, Rules rules) => (_ways, _rules) = (ways, rules);

    /// <param name="bundle">The policy.</param>
    /// <param name="ways">All ways in which the server lets certificates be asked for.</param>
    /// <exception cref="PolicyException">The bundle has no rule for some of the ways, which it names: no rule, no start.</exception>
    public static IssuancePolicy Create(PolicyBundle bundle, IReadOnlyCollection<string> ways)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        string[] names = [.. ways];
        return new IssuancePolicy(names, Rules.Build(bundle, names));
    }

    /// <summary>The revision in force.</summary>
    public string Revision => _rules.Bundle.Revision;

    /// <summary>What activation needs and what can fail.</summary>
    /// <exception cref="PolicyException">The bundle drops a way's rule.</exception>
    internal Rules Prepare(PolicyBundle bundle) => Rules.Build(bundle, _ways);

    internal void Activate(Rules rules) => _rules = rules;

    /// <summary>Never throws on input: an evaluation that fails, or gives what no certificate may say, is a no that says so.</summary>
    public IssuanceDecision Decide(IssuanceInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Rules rules = _rules;
        try
        {
            var evaluation = new Evaluation(rules.Bundle.Program, IssuanceDocument.From(input), EvaluationOptions.Default)
            {
                NowNanoseconds = IssuanceDocument.Nanoseconds(input.Time),
            };
            return rules.Query.Run(evaluation) is [var only] ? Read(only.Find("decision")!, rules.Bundle.Revision) : Failed("it gives no decision", rules);
        }
        catch (EvaluationException e)
        {
            return Failed($"{e.Code}: {e.Message}", rules);
        }
        catch (JsonException e)
        {
            return Failed($"the claims are not JSON: {e.Message}", rules);
        }
    }

    static IssuanceDecision Read(Value decision, string revision)
    {
        string Text(string name, string fallback) => decision.Get(name) is StringValue { Text.Length: > 0 } s ? s.Text : fallback;
        var no = new IssuanceDecision(Text("reason", "no-reason"), Text("sentence", "the policy gives no sentence"), Text("hint", ""), revision, null);
        if (decision.Get("allow") != BooleanValue.True) return no;
        if (decision.Get("grant") is not { } grant || Grant(grant) is not { } granted)
            return new IssuanceDecision(EvaluationFailed, "the policy could not decide: what it grants is no certificate", "", revision, null);
        return new IssuanceDecision(no.ReasonId, no.Sentence, "", revision, granted);
    }

    // Null for anything that is not exactly a grant: an undefined list must not become an empty one.
    static GrantedCertificate? Grant(Value grant)
    {
        if (grant.Get("name") is not StringValue { Text.Length: > 0 } name
            || Texts(grant.Get("roles")) is not { } roles || Texts(grant.Get("dns")) is not { } dns || Texts(grant.Get("addresses")) is not { } addresses
            || Nanoseconds(grant.Get("lifetime")) is not { } lifetime || Nanoseconds(grant.Get("authenticated_at")) is not { } authenticated)
            return null;
        TimeSpan life = TimeSpan.FromTicks(lifetime / 100);
        if (life < ShortestLife || life > LongestLife) return null;
        return new GrantedCertificate
        {
            Name = name.Text,
            Roles = roles,
            DnsNames = dns,
            Addresses = addresses,
            Lifetime = life,
            AuthenticatedAt = DateTimeOffset.UnixEpoch.AddTicks(authenticated / 100),
        };
    }

    static ImmutableArray<string>? Texts(Value? value)
    {
        Value[]? items = value switch { ArrayValue array => array.Items, SetValue set => set.Members.Sorted, _ => null };
        if (items is null) return null;
        var texts = new string[items.Length];
        for (int i = 0; i < items.Length; i++)
        {
            if (items[i] is not StringValue text) return null;
            texts[i] = text.Text;
        }
        return ImmutableCollectionsMarshal.AsImmutableArray(texts);
    }

    static long? Nanoseconds(Value? value) => value is NumberValue { IsPlainInteger: true } number && number.TryGetInt64(out long nanoseconds) ? nanoseconds : null;

    static IssuanceDecision Failed(string why, Rules rules) => new(EvaluationFailed, $"the policy could not decide: {why}", "", rules.Bundle.Revision, null);

    internal sealed record Rules(PolicyBundle Bundle, Query Query)
    {
        public static Rules Build(PolicyBundle bundle, string[] ways)
        {
            var errors = new List<PolicyError>();
            Query query = Compiler.CompileQuery(bundle.Program, EntryPoint, errors) ?? throw new PolicyException(errors);
            var known = new Evaluation(bundle.Program, null, EvaluationOptions.Default).Document(WaysPath);
            var named = (known is VirtualDoc document ? document.Force() : known) as ObjectValue ?? ObjectValue.Empty;
            string[] missing = [.. ways.Where(way => named.Find(way) is null)];
            if (missing.Length > 0) throw PolicyException.MissingWays(missing);
            return new Rules(bundle, query);
        }
    }
}
