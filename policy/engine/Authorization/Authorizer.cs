namespace Talos.Policy;

/// <summary>Decides every call under the bundle in force. Thread-safe; a decision is made wholly under one revision.</summary>
public sealed class Authorizer
{
    readonly string[] _methods;
    readonly Lock _activation = new();
    volatile Ruleset _rules;

    Authorizer(string[] methods, Ruleset rules)
    {
        _methods = methods;
        _rules = rules;
    }

    /// <param name="bundle">The policy.</param>
    /// <param name="methods">All methods the server answers, by their full gRPC names.</param>
    /// <exception cref="PolicyException">The bundle is in error, or has no rule for some of the methods, which it names: no rule, no start.</exception>
    public static Authorizer Create(PolicyBundle bundle, IReadOnlyCollection<string> methods)
    {
        string[] names = [.. methods];
        return new Authorizer(names, Ruleset.Build(bundle, names));
    }

    /// <summary>The revision in force.</summary>
    public string Revision => _rules.Revision;

    /// <summary>Never throws on input: an evaluation that fails is a deny that says so.</summary>
    public Decision Decide(AuthorizationInput input) => _rules.Decide(input);

    /// <summary>Puts another bundle in force at once. Calls already being decided finish under the revision they began with.</summary>
    /// <exception cref="PolicyException">The bundle is in error or drops a method's rule; the old one stays in force.</exception>
    public void Activate(PolicyBundle bundle)
    {
        lock (_activation) _rules = Ruleset.Build(bundle, _methods);
    }
}
