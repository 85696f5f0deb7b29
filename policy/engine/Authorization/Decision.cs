namespace Talos.Policy;

public enum DecisionOutcome
{
    Deny = 0,
    Allow,
}

/// <summary>Whether a call may go ahead when its audit record cannot be written.</summary>
public enum RecordMode
{
    FailClosed = 0,
    BestEffort,
}

/// <summary>Something that must happen before (or together with) the call.</summary>
public sealed record Obligation(string Id, string Sentence)
{
    /// <summary>Another named person must approve this exact request.</summary>
    public const string SecondPerson = "second_person";
}

/// <summary>The answer of the policy. Only the policy engine can make one.</summary>
public sealed class Decision
{
    internal Decision(DecisionOutcome outcome, string reasonId, string sentence, string rule, string revision)
    {
        Outcome = outcome;
        ReasonId = reasonId;
        Sentence = sentence;
        Rule = rule;
        Revision = revision;
    }

    public DecisionOutcome Outcome { get; }

    /// <summary>A stable word for machines: <c>role_allowed</c>, <c>role_not_allowed</c>, <c>no_rule</c>, <c>evaluation_failed</c>, …</summary>
    public string ReasonId { get; }

    /// <summary>The same for people.</summary>
    public string Sentence { get; }

    /// <summary>The rule that decided, as a Rego reference.</summary>
    public string Rule { get; }

    /// <summary>The revision of the bundle that decided.</summary>
    public string Revision { get; }

    /// <summary>Open obligations. A denied call that would be allowed with an approval says so here.</summary>
    public IReadOnlyList<Obligation> Obligations { get; internal init; } = [];

    public RecordMode RecordMode { get; internal init; }

    /// <summary>The request's fields that may be written to the audit record.</summary>
    public IReadOnlyList<string> LoggableFields { get; internal init; } = [];

    /// <summary>When an outside OPA decided: its decision id.</summary>
    public string? DecisionId { get; internal init; }
}
