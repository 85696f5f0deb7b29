using System.Text.Json;
using System.Text.Json.Nodes;
using Talos.Policy;

namespace Talos.Conformance;

/// <summary>One case of OPA's suite. The same file serves the runner and the tests of the engine.</summary>
sealed class RegoCase
{
    static readonly HashSet<string> Known =
        ["note", "query", "modules", "data", "input", "input_term", "want_result", "sort_bindings", "want_error_code", "want_error", "strict_error", "ignore", "env", "entrypoints", "want_plan_result", "want_defined"];

    readonly JsonObject _case;

    RegoCase(JsonObject json)
    {
        _case = json;
        Note = (string?)json["note"] ?? "a case without a note";
    }

    public string Note { get; }

    public static IEnumerable<RegoCase> Load(string file)
    {
        var root = JsonNode.Parse(File.ReadAllText(file), documentOptions: new JsonDocumentOptions { MaxDepth = 512 })!.AsObject();
        foreach (JsonNode? test in root["cases"]?.AsArray() ?? []) yield return new RegoCase(test!.AsObject());
    }

    /// <summary>Null when the case passes, otherwise what went wrong.</summary>
    public string? Run()
    {
        // What the runner does not understand must not count as passed.
        if (_case.Select(field => field.Key).FirstOrDefault(key => !Known.Contains(key)) is { } unknown) return $"unknown field `{unknown}`";
        try
        {
            return Judge();
        }
        catch (Exception e) when (e is not (RegoException or PolicyException))
        {
            return $"the engine broke with {e.GetType().Name}: {e.Message}";
        }
    }

    string? Judge()
    {
        string? code = (string?)_case["want_error_code"], text = (string?)_case["want_error"];
        bool wantsError = code is not null || text is not null;
        IReadOnlyList<string> results;
        try
        {
            var modules = (_case["modules"]?.AsArray() ?? []).Select((m, i) => ($"test-{i}.rego", (string)m!));
            RegoProgram program = RegoProgram.Compile(modules, _case["data"]?.ToJsonString() ?? "{}");
            string? input = (string?)_case["input_term"] ?? _case["input"]?.ToJsonString();
            if (input is null && _case.ContainsKey("input")) input = "null";
            results = program.Query((string)_case["query"]!, input, new RegoQueryOptions { StrictBuiltinErrors = (bool?)_case["strict_error"] ?? false, AllowNetwork = true });
        }
        catch (RegoException e)
        {
            if (!wantsError) return $"unexpected error {e.Message}";
            if (code is not null && code != e.Code) return $"expected {code}, got {e.Message}";
            return text is null || e.Message.Contains(text, StringComparison.Ordinal) ? null : $"expected `{text}`, got {e.Message}";
        }
        catch (PolicyException e)
        {
            return wantsError && code is not null && e.Errors.Any(x => x.Code == code) ? null : $"unexpected error {e.Message}";
        }
        if (wantsError) return $"expected {code} {text}, got {string.Join(' ', results)}";
        if (_case["want_result"] is not JsonArray expected) return null;
        bool sort = (bool?)_case["sort_bindings"] ?? false;
        var want = expected.Select(r => Canonical(r, sort, 0)).Order(StringComparer.Ordinal).ToArray();
        var got = results.Select(r => Canonical(JsonNode.Parse(r), sort, 0)).Order(StringComparer.Ordinal).ToArray();
        return want.SequenceEqual(got) ? null : $"expected {string.Join(' ', want)}, got {string.Join(' ', got)}";
    }

    // Objects by key, numbers by value; with `sort`, the arrays that are bound are compared as sets.
    static string Canonical(JsonNode? node, bool sort, int depth)
    {
        switch (node)
        {
            case null:
                return "null";
            case JsonObject o:
                return "{" + string.Join(',', o.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => JsonSerializer.Serialize(p.Key) + ":" + Canonical(p.Value, sort, depth + 1))) + "}";
            case JsonArray a:
                IEnumerable<string> items = a.Select(i => Canonical(i, sort, depth + 1));
                return "[" + string.Join(',', sort && depth == 1 ? items.Order(StringComparer.Ordinal) : items) + "]";
            default:
                if (node.GetValueKind() != JsonValueKind.Number) return node.ToJsonString();
                string text = node.ToJsonString();
                return decimal.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out decimal d) && !text.Contains('e', StringComparison.OrdinalIgnoreCase)
                    ? d.ToString("G29", System.Globalization.CultureInfo.InvariantCulture) : double.Parse(text, System.Globalization.CultureInfo.InvariantCulture).ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        }
    }
}
