namespace Talos.Policy;

/// <summary>Reads <c># METADATA</c> comment blocks (YAML) and gives each to the statement that follows it.</summary>
static class AnnotationReader
{
    static readonly HashSet<string> Fields =
        ["scope", "title", "description", "related_resources", "authors", "organizations", "schemas", "entrypoint", "custom", "compile"];

    public static void Attach(ModuleSyntax module, List<(int Start, string Text)> comments, List<PolicyError> errors)
    {
        SourceText source = module.Source;
        for (int i = 0; i < comments.Count; i++)
        {
            if (!comments[i].Text.AsSpan().Trim().StartsWith("METADATA")) continue;
            Position at = new(source, comments[i].Start);
            int line = at.Line;
            var yaml = new System.Text.StringBuilder();
            int last = i;
            while (last + 1 < comments.Count && new Position(source, comments[last + 1].Start) is var next
                && next.Line == line + (last - i) + 1 && next.Column == 1)
            {
                last++;
                yaml.Append(comments[last].Text.StartsWith(' ') ? comments[last].Text[1..] : comments[last].Text).Append('\n');
            }
            Read(module, at, yaml.ToString(), errors);
            i = last;
        }
    }

    static void Read(ModuleSyntax module, Position at, string yaml, List<PolicyError> errors)
    {
        ObjectValue? document;
        try
        {
            document = YamlDocument.Read(yaml) as ObjectValue;
        }
        catch (BuiltinException e)
        {
            errors.Add(at.Error("rego_parse_error", e.Message, "a METADATA block is YAML"));
            return;
        }
        if (document is null || document.Count == 0)
        {
            errors.Add(at.Error("rego_parse_error", "expected METADATA block, found whitespace", "remove the block, or say something in it"));
            return;
        }
        foreach (Value key in document.Keys.Sorted)
            if (key is not StringValue s || !Fields.Contains(s.Text)) document = ObjectValue.From([.. document.Pairs.Where(p => !p.Key.Equals(key))]);
        RuleNodeSyntax? rule = module.Rules.FirstOrDefault(r => r.At.Offset > at.Offset);
        Position package = module.Package.At;
        bool isPackage = package.Offset > at.Offset;
        ImportSyntax? import = module.Imports.FirstOrDefault(i => i.At.Offset > at.Offset);
        bool isImport = !isPackage && import is not null && (rule is null || import.At.Offset < rule.At.Offset);
        if (Mistake(document) is { } mistake)
        {
            errors.Add(at.Error("rego_parse_error", mistake));
            return;
        }
        bool isEntrypoint = document.Get("entrypoint") == BooleanValue.True;
        string scope = document.Get("scope") is StringValue { Text.Length: > 0 } said ? said.Text
            : isPackage ? "package" : isImport ? "import" : rule is null ? "" : isEntrypoint ? "document" : "rule";
        string? problem = scope switch
        {
            "rule" or "document" => isPackage || isImport || rule is null ? $"annotation scope `{scope}` must be applied to rule" : null,
            "package" or "subpackages" => isPackage ? null : $"annotation scope `{scope}` must be applied to package",
            _ => $"invalid annotation scope `{scope}`",
        };
        if (problem is null && isEntrypoint && scope is not ("document" or "package"))
            problem = $"annotation entrypoint applied to non-document or package scope `{scope}`";
        if (problem is not null)
        {
            errors.Add(at.Error("rego_parse_error", problem, "known are rule, document, package and subpackages; the block stands before what it is for"));
            return;
        }
        var annotation = new Annotation(at, scope, Normalise(document).With(Value.From("scope"), Value.From(scope)));
        if (isPackage || scope is "package" or "subpackages") module.Annotations.Add(annotation);
        else rule!.Annotations.Add(annotation);
    }

    static string? Mistake(ObjectValue document)
    {
        foreach ((Value key, Value value) in document.Pairs)
        {
            string field = ((StringValue)key).Text;
            bool isRight = value is NullValue || field switch
            {
                "scope" or "title" or "description" => value is StringValue or NumberValue or BooleanValue,
                "entrypoint" => value is BooleanValue,
                "custom" or "compile" => value is ObjectValue,
                _ => value is ArrayValue,
            };
            if (!isRight) return $"the annotation's `{field}` is of another kind than it must be";
        }
        if (Items(document, "authors").Any(a => !IsAuthor(a))) return "invalid author definition";
        if (Items(document, "related_resources").Any(r => !IsResource(r))) return "invalid related-resource definition";
        foreach (Value schema in Items(document, "schemas"))
        {
            if (schema is not ObjectValue { Count: 1 } pair || pair.Keys.Sorted[0] is not StringValue path || !IsReference(path.Text))
                return "invalid document reference";
            bool isRight = pair.Values[0] is StringValue { Text: var name } ? name.StartsWith("schema", StringComparison.Ordinal) && IsReference(name)
                : pair.Values[0] is ObjectValue;
            if (!isRight) return $"invalid schema reference for `{path.Text}`";
        }
        return null;
    }

    static Value[] Items(ObjectValue document, string field) => (document.Get(field) as ArrayValue)?.Items ?? [];

    static bool IsAuthor(Value author) => author is StringValue text ? text.Text.Trim().Length > 0 : HasText(author, "name") || HasText(author, "email");

    static bool IsResource(Value resource) => resource is StringValue text ? text.Text.Length > 0 && GoUrl.IsValid(text.Text) : HasText(resource, "ref");

    static bool HasText(Value value, string field) => value is ObjectValue o && o.Get(field) is StringValue { Text: var text } && text.Trim().Length > 0;

    // A name, and names after dots or in brackets.
    static bool IsReference(string text)
    {
        var errors = new List<PolicyError>();
        return Parser.ParseQuery(text, errors) is [TermLiteral { Negated: false, Term: var term, Withs.Length: 0 }]
            && (term is VarTerm || (term is RefTerm { Head: VarTerm } reference && reference.Path.All(p => p is ConstantTerm)));
    }

    // Short forms become the objects that rules see.
    static ObjectValue Normalise(ObjectValue document)
    {
        foreach ((Value field, Value value) in document.Pairs.ToArray())
        {
            // What says nothing is not there.
            if (value == BooleanValue.False || value is NullValue or ArrayValue { Items.Length: 0 } or ObjectValue { Count: 0 } or StringValue { Text.Length: 0 })
                document = ObjectValue.From([.. document.Pairs.Where(p => !p.Key.Equals(field))]);
            else if (value is NumberValue) document = document.With(field, Value.From(value.ToString()));
        }
        if (document.Get("authors") is ArrayValue authors)
            document = document.With(Value.From("authors"), new ArrayValue([.. authors.Items.Select(a => a is StringValue s ? Author(s.Text) : a)]));
        if (document.Get("related_resources") is ArrayValue resources)
            document = document.With(Value.From("related_resources"), new ArrayValue([.. resources.Items.Select(r => r is StringValue ? ObjectValue.From(("ref", r)) : r)]));
        if (document.Get("schemas") is ArrayValue schemas)
            document = document.With(Value.From("schemas"), new ArrayValue([.. schemas.Items.Select(Schema)]));
        return document;
    }

    static ObjectValue Author(string text)
    {
        string[] words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        string? email = words is [.., ['<', .. var address, '>']] ? address : null;
        string name = string.Join(' ', email is null ? words : words[..^1]);
        (string, Value)[] parts = [.. name.Length > 0 ? [("name", (Value)Value.From(name))] : Array.Empty<(string, Value)>(),
            .. email is { Length: > 0 } ? [("email", (Value)Value.From(email))] : Array.Empty<(string, Value)>()];
        return ObjectValue.From(parts);
    }

    static ObjectValue Schema(Value schema)
    {
        var pair = (ObjectValue)schema;
        ArrayValue path = Segments(((StringValue)pair.Keys.Sorted[0]).Text);
        return pair.Values[0] is StringValue reference ? ObjectValue.From(("path", path), ("schema", Segments(reference.Text)))
            : ObjectValue.From(("path", path), ("definition", pair.Values[0]));
    }

    // `schema.a["b-c"]`, which was read before.
    static ArrayValue Segments(string text)
    {
        Term term = ((TermLiteral)Parser.ParseQuery(text, [])![0]).Term;
        var segments = new List<Value> { Value.From(((term as RefTerm)?.Head as VarTerm ?? (VarTerm)term).Name) };
        if (term is RefTerm reference) segments.AddRange(reference.Path.Select(p => ((ConstantTerm)p).Value));
        return new ArrayValue([.. segments]);
    }
}
