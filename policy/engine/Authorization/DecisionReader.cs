namespace Talos.Policy;

/// <summary>Makes a decision out of the document that the policy gives. What is not clearly an allow is a deny.</summary>
static class DecisionReader
{
    public static Decision Read(Value value, string revision, string? decisionId = null)
    {
        string Text(string name, string fallback) => value.Get(name) is StringValue { Text.Length: > 0 } s ? s.Text : fallback;
        bool allow = value is ObjectValue && value.Get("allow") == BooleanValue.True;
        return new Decision(allow ? DecisionOutcome.Allow : DecisionOutcome.Deny, Text("reason", "no_reason"), Text("sentence", "the policy gives no sentence"), Text("rule", "data.talos.authz.decision"), revision)
        {
            DecisionId = decisionId,
            RecordMode = value.Get("record") is StringValue { Text: "best_effort" } ? RecordMode.BestEffort : RecordMode.FailClosed,
            LoggableFields = value.Get("loggable") is ArrayValue { Items.Length: > 0 } fields ? [.. fields.Items.OfType<StringValue>().Select(f => f.Text)] : [],
            Obligations = value.Get("obligations") is ArrayValue { Items.Length: > 0 } list
                ? [.. list.Items.OfType<ObjectValue>().Select(o => new Obligation((o.Get("id") as StringValue)?.Text ?? "unnamed", (o.Get("sentence") as StringValue)?.Text ?? ""))] : [],
        };
    }
}
