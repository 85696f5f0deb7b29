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
            if (comments[i].Text.Trim() != "METADATA") continue;
            Position at = new(source, comments[i].Start);
            int line = at.Line, column = at.Column;
            var yaml = new System.Text.StringBuilder();
            int last = i;
            while (last + 1 < comments.Count && new Position(source, comments[last + 1].Start) is var next && next.Line == line + (last - i) + 1 && next.Column == column)
            {
                last++;
                yaml.Append(comments[last].Text.StartsWith(' ') ? comments[last].Text[1..] : comments[last].Text).Append('\n');
            }
            int endLine = line + (last - i);
            Read(module, at, endLine, yaml.ToString(), errors);
            i = last;
        }
    }

    static void Read(ModuleSyntax module, Position at, int endLine, string yaml, List<PolicyError> errors)
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
            if (key is StringValue s && !Fields.Contains(s.Text)) document = ObjectValue.From([.. document.Pairs.Where(p => !p.Key.Equals(key))]);
        RuleNodeSyntax? rule = module.Rules.FirstOrDefault(r => r.At.Offset > at.Offset);
        Position package = module.Package.At;
        bool isPackage = package.Offset > at.Offset;
        ImportSyntax? import = module.Imports.FirstOrDefault(i => i.At.Offset > at.Offset);
        if (!isPackage && import is not null && (rule is null || import.At.Offset < rule.At.Offset)) return;
        if (!isPackage && rule is null) return;
        _ = endLine;
        string scope = (document.Get("scope") as StringValue)?.Text ?? (isPackage ? "package" : document.Get("entrypoint") == BooleanValue.True ? "document" : "rule");
        if (scope is not ("rule" or "document" or "package" or "subpackages"))
        {
            errors.Add(at.Error("rego_parse_error", $"invalid scope '{scope}'", "known are rule, document, package, subpackages"));
            return;
        }
        var annotation = new Annotation(at, scope, Normalise(document).With(Value.From("scope"), Value.From(scope)));
        if (isPackage || scope is "package" or "subpackages") module.Annotations.Add(annotation);
        else rule!.Annotations.Add(annotation);
    }

    // Short forms become the objects that rules see.
    static ObjectValue Normalise(ObjectValue document)
    {
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
        int open = text.LastIndexOf('<');
        if (!text.EndsWith('>') || open < 0) return ObjectValue.From(("name", Value.From(text.Trim())));
        string name = text[..open].Trim(), email = text[(open + 1)..^1].Trim();
        return name.Length == 0 ? ObjectValue.From(("email", Value.From(email))) : ObjectValue.From(("email", Value.From(email)), ("name", Value.From(name)));
    }

    static Value Schema(Value schema)
    {
        if (schema is not ObjectValue { Count: 1 } o || o.Keys.Sorted[0] is not StringValue path) return schema;
        var segments = new ArrayValue([.. path.Text.Split('.').Select(Value.From)]);
        return o.Values[0] is StringValue reference
            ? ObjectValue.From(("path", segments), ("schema", new ArrayValue([.. reference.Text.Split('.').Select(Value.From)])))
            : ObjectValue.From(("path", segments), ("definition", o.Values[0]));
    }
}
