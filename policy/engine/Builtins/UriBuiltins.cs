namespace Talos.Policy;

static class UriBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("uri.parse", v => Parse(Operand.Text(v, 1))),
        Builtin.Of("uri.is_valid", v => Value.From(v is StringValue { Text.Length: > 0 } s && GoUrl.IsValid(s.Text))),
    ];

    // Only what is there; `raw_path` goes with `path`.
    static ObjectValue Parse(string text)
    {
        GoUrl url = GoUrl.Parse(text);
        (string Name, string Text)[] members =
        [
            ("scheme", url.Scheme), ("hostname", url.HostName), ("port", url.Port), ("path", url.Path), ("raw_path", url.RawPath.Length > 0 ? url.RawPath : url.Path),
            ("raw_query", url.RawQuery), ("fragment", url.Fragment),
        ];
        return ObjectValue.From([.. members.Where(m => m.Text.Length > 0).Select(m => new KeyValuePair<Value, Value>(Value.From(m.Name), Value.From(m.Text)))]);
    }
}
