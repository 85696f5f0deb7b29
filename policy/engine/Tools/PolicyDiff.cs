namespace Talos.Policy;

/// <summary>One role's change at one method.</summary>
public sealed record PolicyChange(string Role, string Method, DecisionOutcome Before, DecisionOutcome After)
{
    public bool IsGain => After == DecisionOutcome.Allow;
}

/// <summary>Which role gains or loses which method between two bundles.</summary>
public static class PolicyDiff
{
    /// <summary>The pseudo-role of callers without a certificate.</summary>
    public const string Anonymous = "anonymous";

    /// <param name="before">The bundle in force.</param>
    /// <param name="after">The bundle to come.</param>
    /// <param name="attested">The attestation state to compare under; conditions on request fields and time are not tried out.</param>
    /// <exception cref="PolicyException">One of the bundles is in error.</exception>
    public static IReadOnlyList<PolicyChange> Compare(PolicyBundle before, PolicyBundle after, AttestationState attested = AttestationState.Unknown)
    {
        Ruleset x = Ruleset.Build(before, [], EvaluationLimits.Offline), y = Ruleset.Build(after, [], EvaluationLimits.Offline);
        string[] methods = [.. x.Table.Methods.Union(y.Table.Methods).Order(StringComparer.Ordinal)];
        string[] roles = [.. x.Table.Roles.Union(y.Table.Roles).Order(StringComparer.Ordinal), Anonymous];
        var changes = new List<PolicyChange>();
        foreach (string role in roles)
        {
            AuthorizationCaller caller = role == Anonymous ? AuthorizationCaller.Anonymous("") : AuthorizationCaller.Named("?", [role], "", "", default, default, "");
            foreach (string method in methods)
            {
                var input = new AuthorizationInput { RevocationAge = TimeSpan.Zero, Caller = caller, Method = method, Time = DateTimeOffset.UnixEpoch, Node = new AuthorizationNode { Attested = attested } };
                DecisionOutcome was = x.Decide(input).Outcome, becomes = y.Decide(input).Outcome;
                if (was != becomes) changes.Add(new PolicyChange(role, method, was, becomes));
            }
        }
        return changes;
    }
}
