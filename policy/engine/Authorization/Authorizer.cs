namespace Talos.Policy;

/// <summary>Decides every call under the bundle in force. Thread-safe; a decision is made wholly under one revision.</summary>
public sealed class Authorizer
{
    readonly string[] _methods;
    readonly EvaluationLimits _limits;
    readonly IssuancePolicy? _issuance;
    volatile Ruleset _rules;

    Authorizer(string[] methods, EvaluationLimits limits, Ruleset rules, IssuancePolicy? issuance)
    {
        _issuance = issuance;
        _methods = methods;
        _limits = limits;
        _rules = rules;
    }

    /// <param name="bundle">The policy.</param>
    /// <param name="methods">All methods the server answers, by their full gRPC names.</param>
    /// <param name="limits">Bounds of one decision; the defaults are far above what the shipped policy needs.</param>
    /// <param name="issuance">Decides certificates beside the calls; a bundle is put in force for both or for neither.</param>
    /// <exception cref="PolicyException">The bundle is in error, or has no rule for some of the methods, which it names: no rule, no start.</exception>
    public static Authorizer Create(
        PolicyBundle bundle, IReadOnlyCollection<string> methods, EvaluationLimits? limits = null, IssuancePolicy? issuance = null)
    {
        string[] names = [.. methods];
        limits ??= EvaluationLimits.Default;
        return new Authorizer(names, limits, Ruleset.Build(bundle, names, limits), issuance);
    }

    /// <summary>The revision in force.</summary>
    public string Revision => _rules.Revision;

    /// <summary>The methods that the bundle in force has rules for, in order.</summary>
    public IReadOnlyList<string> NamedMethods => _rules.Methods;

    /// <summary>
    /// Never throws on input: an evaluation that fails is a deny that says so. Calls that depend on method, roles and attestation
    /// only are answered from a table without allocating.
    /// </summary>
    public Decision Decide(AuthorizationInput input) => _rules.Decide(input);

    /// <summary>The same decision with what led to it. Always evaluates.</summary>
    public Explanation Explain(AuthorizationInput input) => Explanation.Make(_rules, input);

    /// <summary>Puts another bundle in force at once. Calls already being decided finish under the revision they began with.</summary>
    /// <exception cref="PolicyException">The bundle is in error or drops a method's rule; the old one stays in force.</exception>
    public void Activate(PolicyBundle bundle) => Activate(Prepare(bundle));

    /// <summary>Everything that activation needs and that can fail, done ahead.</summary>
    /// <exception cref="PolicyException">The bundle is in error or drops a method's rule.</exception>
    public PreparedRules Prepare(PolicyBundle bundle) => new(Ruleset.Build(bundle, _methods, _limits), _issuance?.Prepare(bundle));

    /// <summary>Puts prepared rules in force at once. Never fails.</summary>
    public void Activate(PreparedRules prepared)
    {
        if (prepared.Issuance is { } issuance) _issuance?.Activate(issuance);
        _rules = prepared.Rules;
    }

    internal Ruleset Rules => _rules;
}

/// <summary>Rules that name every method of the server and are ready to decide. Only an <see cref="Authorizer"/> makes them.</summary>
public sealed class PreparedRules
{
    internal PreparedRules(Ruleset rules, IssuancePolicy.Rules? issuance) => (Rules, Issuance) = (rules, issuance);

    internal Ruleset Rules { get; }

    internal IssuancePolicy.Rules? Issuance { get; }

    public string Revision => Rules.Revision;

    /// <summary>What these rules would decide.</summary>
    public Decision Decide(AuthorizationInput input) => Rules.Decide(input);
}
