namespace Talos.Policy;

static class ComparisonBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("equal", (a, b) => Value.From(a.Equals(b))),
        Builtin.Of("eq", (a, b) => Value.From(a.Equals(b))),
        Builtin.Of("assign", (a, b) => Value.From(a.Equals(b))),
        Builtin.Of("neq", (a, b) => Value.From(!a.Equals(b))),
        Builtin.Of("lt", (a, b) => Value.From(Value.Compare(a, b) < 0)),
        Builtin.Of("lte", (a, b) => Value.From(Value.Compare(a, b) <= 0)),
        Builtin.Of("gt", (a, b) => Value.From(Value.Compare(a, b) > 0)),
        Builtin.Of("gte", (a, b) => Value.From(Value.Compare(a, b) >= 0)),
        Builtin.Of("internal.member_2", (item, c) => Value.From(c switch
        {
            SetValue s => s.Contains(item),
            ArrayValue a => Array.IndexOf(a.Items, item) >= 0,
            ObjectValue o => Array.IndexOf(o.Values, item) >= 0,
            _ => false,
        })),
        Builtin.Of("internal.member_3", (key, item, c) => Value.From(c switch
        {
            SetValue s => key.Equals(item) && s.Contains(item),
            _ => c.Get(key) is { } found && found.Equals(item),
        })),
    ];
}
