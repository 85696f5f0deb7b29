using System.Globalization;

namespace Talos.Policy;

/// <summary>The schemas of a document by their identifiers, and what references mean below them.</summary>
sealed class SchemaPool
{
    readonly Evaluation _evaluation;
    readonly Value _document;
    readonly Dictionary<string, Value> _byName = new(StringComparer.Ordinal);
    readonly Dictionary<Value, string> _references = new(ReferenceEqualityComparer.Instance);

    public SchemaPool(Evaluation e, Value document)
    {
        (_evaluation, _document) = (e, document);
        Enter(document, "");
    }

    /// <summary>The reference of a schema with <c>$ref</c>, made absolute.</summary>
    public string Reference(ObjectValue schema, string written) => _references.GetValueOrDefault(schema, written);

    void Enter(Value value, string scope)
    {
        _evaluation.Tick();
        _evaluation.CheckStack();
        if (value is ArrayValue a)
        {
            foreach (Value item in a.Items) Enter(item, scope);
            return;
        }
        if (value is not ObjectValue o) return;
        if ((o.Get("id") ?? o.Get("$id")) is StringValue { Text: var id })
        {
            scope = Resolve(scope, id);
            if (!_byName.TryAdd(scope, o)) return;
        }
        if (o.Get("$ref") is StringValue { Text: var reference }) _references[o] = Resolve(scope, reference);
        foreach ((Value key, Value member) in o.Pairs)
        {
            switch ((key as StringValue)?.Text)
            {
                case "const" or "enum":
                    break; // values, not schemas
                case "properties" or "dependencies" or "patternProperties" when member is ObjectValue group:
                    foreach (Value child in group.Values) Enter(child, scope);
                    break;
                default:
                    Enter(member, scope);
                    break;
            }
        }
    }

    // RFC 3986 §5.2, without the normalisation of dots in relative scopes.
    static string Resolve(string scope, string reference)
    {
        if (reference.EndsWith('#')) reference = reference[..^1];
        string parent = scope.Split('#')[0];
        if (reference.Length == 0) return parent;
        if (reference[0] == '#') return parent + reference;
        if (GoUrl.TryParse(reference) is { Scheme.Length: > 0 } || parent.Length == 0) return reference;
        if (Uri.TryCreate(parent, UriKind.Absolute, out Uri? root) && Uri.TryCreate(root, reference, out Uri? whole)) return whole.OriginalString.Length > 0 ? whole.AbsoluteUri : reference;
        return reference[0] == '/' ? reference : parent[..(parent.LastIndexOf('/') + 1)] + reference;
    }

    /// <exception cref="BuiltinException">Nothing has that name here.</exception>
    public Value Find(string reference)
    {
        if (_byName.TryGetValue(reference, out Value? named)) return named;
        int hash = reference.IndexOf('#', StringComparison.Ordinal);
        string name = hash < 0 ? reference : reference[..hash];
        if (name.Length == 0) return Pointed(_document, hash < 0 ? "" : reference[(hash + 1)..]);
        if (_byName.TryGetValue(name, out Value? document)) return Pointed(document, hash < 0 ? "" : reference[(hash + 1)..]);
        if (Metaschemas.Find(name) is { } metaschema)
        {
            Enter(metaschema, "");
            _byName.TryAdd(name, metaschema);
            return Find(reference);
        }
        throw new BuiltinException(GoUrl.TryParse(reference) is { Scheme.Length: > 0, Host.Length: > 0 }
            ? "remote reference loading disabled: " + reference : $"Reference {reference} must be canonical");
    }

    // RFC 6901
    public static Value Pointed(Value at, string pointer)
    {
        if (!pointer.StartsWith('/')) return at;
        foreach (string part in Uri.UnescapeDataString(pointer)[1..].Split('/'))
        {
            string token = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            at = at switch
            {
                ObjectValue o => o.Get(token) ?? throw new BuiltinException($"Object has no key '{token}'"),
                ArrayValue a => !int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out int i) ? throw new BuiltinException($"Invalid array index '{token}'")
                    : i < a.Items.Length ? a.Items[i] : throw new BuiltinException($"Out of bound array[0,{a.Items.Length}] index '{i}'"),
                _ => throw new BuiltinException($"Invalid token reference '{token}'"),
            };
        }
        return at;
    }
}
