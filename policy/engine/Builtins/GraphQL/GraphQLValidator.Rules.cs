namespace Talos.Policy;

/// <summary>The rules of §5, in the alphabetical order in which the library asks them at each node.</summary>
sealed partial class GraphQLValidator
{
    readonly HashSet<string> _spreadNames = new(StringComparer.Ordinal), _fragmentNames = new(StringComparer.Ordinal), _operationNames = new(StringComparer.Ordinal);
    readonly HashSet<string> _checkedForCycles = new(StringComparer.Ordinal);

    void OnField(Value field, Value? definition, GraphQLType? parent, GraphQLType? type)
    {
        string name = Text(field, "Name");
        if (definition is null && parent is not null) Fail(field, $"Cannot query field \"{name}\" on type \"{parent.Name}\"." + Suggestion(parent, name));
        if (definition is not null && parent is not null)
        {
            string[] known = [.. List(definition, "Arguments").Select(a => Text(a, "Name"))];
            foreach (Value argument in List(field, "Arguments"))
                if (Text(argument, "Name") is var given && !known.Contains(given))
                    Fail(field, $"Unknown argument \"{given}\" on field \"{name}\" of type \"{parent.Name}\"." + GraphQLSuggestion.Quoted("Did you mean", given, known));
        }
        if (_operation is not null) FindConflicts(field);
        if (definition is not null)
        {
            foreach (Value argument in Missing(field, definition))
                Fail(field, $"Field \"{name}\" argument \"{Text(argument, "Name")}\" of type \"{GraphQLDocument.TypeText(argument.Get("Type"))}\" is required but not provided.");
            bool selects = List(field, "SelectionSet").Any();
            if (type is { IsComposite: false } && selects) Fail(field, $"Field \"{name}\" must not have a selection since type \"{type.Name}\" has no subfields.");
            if (type is { IsComposite: true } && !selects)
                Fail(field, $"Field \"{name}\" of type \"{GraphQLDocument.TypeText(definition.Get("Type"))}\" must have a selection of subfields. Did you mean \"{name} {{ ... }}\"?");
        }
        UniqueArguments(field);
    }

    string Suggestion(GraphQLType parent, string name)
    {
        if (parent.Kind is "INTERFACE" or "UNION")
        {
            GraphQLType[] having = [.. _schema.PossibleTypes(parent).Where(t => t.Field(name) is not null)];
            var uses = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (string contract in having.SelectMany(t => t.Interfaces).Where(i => _schema.Types.TryGetValue(i, out GraphQLType? c) && c.Field(name) is not null))
                uses[contract] = uses.GetValueOrDefault(contract) + 1;
            string[] types = [.. uses.Keys.Concat(having.Select(t => t.Name)).OrderByDescending(t => uses.GetValueOrDefault(t)).ThenBy(t => t, StringComparer.Ordinal).Select(t => $"\"{t}\"")];
            if (types.Length > 0) return GraphQLSuggestion.Text("Did you mean to use an inline fragment on", types);
        }
        return parent.Kind is "OBJECT" or "INTERFACE" ? GraphQLSuggestion.Quoted("Did you mean", name, parent.Fields.Select(f => Text(f, "Name"))) : "";
    }

    static IEnumerable<Value> Missing(Value node, Value definition) => List(definition, "Arguments")
        .Where(a => GraphQLDocument.Flag(a.Get("Type"), "NonNull") && a.Get("DefaultValue") is null && GraphQLDocument.Named(List(node, "Arguments"), Text(a, "Name")) is null);

    void UniqueArguments(Value node)
    {
        foreach (Value twice in Repeated(List(node, "Arguments"), "Name")) Fail(twice, $"There can be only one argument named \"{Text(twice, "Name")}\".");
    }

    // The second of a name; more are not told.
    static IEnumerable<Value> Repeated(IEnumerable<Value> nodes, string member)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (Value node in nodes)
        {
            int count = counts.GetValueOrDefault(Text(node, member));
            if (count == 1) yield return node;
            counts[Text(node, member)] = count + 1;
        }
    }

    void OnInline(Value fragment, GraphQLType? parent, string condition)
    {
        GraphQLType? type = _schema.Types.GetValueOrDefault(condition);
        if (type is { IsComposite: false }) Fail(fragment, $"Fragment cannot condition on non composite type \"{condition}\".");
        if (condition.Length > 0 && type is null) Fail(fragment, $"Unknown type \"{condition}\".");
        FindConflicts(fragment);
        if (!CanBe(parent, type)) Fail(fragment, $"Fragment cannot be spread here as objects of type \"{parent!.Name}\" can never be of type \"{condition}\".");
    }

    void OnSpread(Value spread, GraphQLType? parent, Value? fragment)
    {
        string name = Text(spread, "Name"), condition = Text(fragment, "TypeCondition");
        if (fragment is null) Fail(spread, $"Unknown fragment \"{name}\".");
        if (_operation is not null) _spreadNames.Add(name);
        if (fragment is not null && !CanBe(parent, _schema.Types.GetValueOrDefault(condition)))
            Fail(spread, $"Fragment \"{name}\" cannot be spread here as objects of type \"{parent!.Name}\" can never be of type \"{condition}\".");
    }

    bool CanBe(GraphQLType? parent, GraphQLType? type)
    {
        if (parent is not { IsComposite: true } || type is not { IsComposite: true }) return true;
        IReadOnlyList<GraphQLType> parents = parent.Kind == "OBJECT" ? [parent] : _schema.PossibleTypes(parent);
        return _schema.PossibleTypes(type).Any(parents.Contains);
    }

    void OnFragment(Value fragment, GraphQLType? type)
    {
        string name = Text(fragment, "Name"), condition = Text(fragment, "TypeCondition");
        if (type is { IsComposite: false }) Fail(fragment, $"Fragment \"{name}\" cannot condition on non composite type \"{condition}\".");
        if (type is null) Fail(fragment, $"Unknown type \"{condition}\"." + GraphQLSuggestion.Quoted("Did you mean", condition, _schema.Types.Keys.Order(StringComparer.Ordinal)));
        FindCycles(fragment, [], new(StringComparer.Ordinal));
        if (!_spreadNames.Contains(name)) Fail(fragment, $"Fragment \"{name}\" is never used.");
        FindConflicts(fragment);
        if (!_fragmentNames.Add(name)) Fail(fragment, $"There can be only one fragment named \"{name}\".");
    }

    void FindCycles(Value fragment, List<string> path, Dictionary<string, int> indexes)
    {
        _evaluation.CheckStack();
        string name = Text(fragment, "Name");
        if (!_checkedForCycles.Add(name)) return;
        indexes[name] = path.Count;
        foreach (Value spread in Spreads(fragment))
        {
            string next = Text(spread, "Name");
            if (indexes.TryGetValue(next, out int start))
            {
                string[] via = [.. path.Skip(start)];
                Fail(spread, $"Cannot spread fragment \"{next}\" within itself{(via.Length == 0 ? "" : " via " + string.Join(", ", via))}.");
                continue;
            }
            path.Add(next);
            if (_fragments.TryGetValue(next, out Value? inner)) FindCycles(inner, path, indexes);
            path.RemoveAt(path.Count - 1);
        }
        indexes.Remove(name);
    }

    static IEnumerable<Value> Spreads(Value node)
    {
        var open = new Stack<Value>([node]);
        while (open.TryPop(out Value? set))
        {
            foreach (Value selection in List(set, "SelectionSet"))
            {
                if (IsSpread(selection)) yield return selection;
                else open.Push(selection);
            }
        }
    }

    void OnOperation(Value operation, GraphQLType? root)
    {
        string name = Text(operation, "Name"), kind = Text(operation, "Operation");
        Value[] variables = [.. List(operation, "VariableDefinitions")];
        if (root is null) Fail(operation, $"Schema does not support operation type \"{kind}\"");
        foreach (Value variable in variables)
            if (!_schema.Types.ContainsKey(GraphQLDocument.TypeName(variable.Get("Type")))) Fail(operation, $"Unknown type \"{GraphQLDocument.TypeName(variable.Get("Type"))}\".");
        if (name.Length == 0 && List(_query.Tree, "Operations").Skip(1).Any()) Fail(operation, "This anonymous operation must be the only defined operation.");
        foreach (Value variable in variables.Where(v => !_usedVariables.Contains(Text(v, "Variable"))))
            Fail(variable, $"Variable \"${Text(variable, "Variable")}\" is never used{(name.Length == 0 ? "" : $" in operation \"{name}\"")}.");
        FindConflicts(operation);
        if (kind == "subscription" && root is not null) SingleField(operation, name);
        if (!_operationNames.Add(name)) Fail(operation, $"There can be only one operation named \"{name}\".");
        foreach (Value twice in Repeated(variables, "Variable")) Fail(twice, $"There can be only one variable named \"${Text(twice, "Variable")}\".");
        foreach (Value variable in variables)
            if (_schema.Types.TryGetValue(GraphQLDocument.TypeName(variable.Get("Type")), out GraphQLType? type) && !type.IsInput)
                Fail(variable, $"Variable \"${Text(variable, "Variable")}\" cannot be non-input type \"{GraphQLDocument.TypeText(variable.Get("Type"))}\".");
    }

    void SingleField(Value operation, string name)
    {
        string subject = name.Length == 0 ? "Anonymous Subscription" : $"Subscription \"{name}\"";
        Value[] fields = [.. TopFields(operation, new(StringComparer.Ordinal)).DistinctBy(f => Text(f, "Name"))];
        if (fields.Length > 1) Fail(fields[1], $"{subject} must select only one top level field.");
        foreach (Value field in fields.Where(f => Text(f, "Name").StartsWith("__", StringComparison.Ordinal))) Fail(field, $"{subject} must not select an introspection top level field.");
    }

    IEnumerable<Value> TopFields(Value node, HashSet<string> entered)
    {
        foreach (Value selection in List(node, "SelectionSet"))
        {
            if (!IsSpread(selection) && selection.Get("Alias") is not null)
            {
                yield return selection;
                continue;
            }
            Value? below = selection;
            if (IsSpread(selection) && (!_fragments.TryGetValue(Text(selection, "Name"), out below) || !entered.Add(Text(selection, "Name")))) continue;
            foreach (Value field in TopFields(below, entered)) yield return field;
        }
    }

    void OnDirective(Value directive, Value? definition, string location)
    {
        string name = Text(directive, "Name");
        if (definition is null)
        {
            Fail(directive, $"Unknown directive \"@{name}\".");
            UniqueArguments(directive);
            return;
        }
        string[] known = [.. List(definition, "Arguments").Select(a => Text(a, "Name"))];
        foreach (Value argument in List(directive, "Arguments"))
            if (Text(argument, "Name") is var given && !known.Contains(given))
                Fail(directive, $"Unknown argument \"{given}\" on directive \"@{name}\"." + GraphQLSuggestion.Quoted("Did you mean", given, known));
        if (!List(definition, "Locations").Contains(Value.From(location))) Fail(directive, $"Directive \"@{name}\" may not be used on {location}.");
        foreach (Value argument in Missing(directive, definition))
            Fail(directive, $"Directive \"@{name}\" argument \"{Text(argument, "Name")}\" of type \"{GraphQLDocument.TypeText(argument.Get("Type"))}\" is required but not provided.");
        UniqueArguments(directive);
    }

    void OnDirectives(Value[] directives)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (Value directive in directives)
            if (!seen.Add(Text(directive, "Name")) && Text(directive, "Name") != "repeatable") Fail(directive, $"The directive \"@{Text(directive, "Name")}\" can only be used once at this location.");
    }

    void OnValue(Value value, GraphQLValueKind kind, Value? expected, GraphQLType? type)
    {
        string raw = GraphQLLiteral.Raw(value);
        Value? variable = kind == GraphQLValueKind.Variable && _operation is not null ? List(_operation, "VariableDefinitions").FirstOrDefault(v => Text(v, "Variable") == raw) : null;
        if (variable is not null) _usedVariables.Add(raw);
        if (kind == GraphQLValueKind.Variable && _operation is not null && variable is null)
            Fail(value, $"Variable \"${raw}\" is not defined{(Text(_operation, "Name") is { Length: > 0 } name ? $" by operation \"{name}\"" : "")}.");
        if (kind == GraphQLValueKind.Object)
            foreach (Value twice in Repeated(List(value, "Children"), "Name")) Fail(twice, $"There can be only one input field named \"{Text(twice, "Name")}\".");
        if (expected is null) return;
        if (type is not null && (type.Kind != "SCALAR" || type.Name is "Int" or "Float" or "String" or "Boolean" or "ID")) CheckValue(value, kind, expected, type);
        if (variable is null) return;
        bool hasDefault = variable.Get("DefaultValue") is { } value0 && GraphQLLiteral.Kind(value0) != GraphQLValueKind.Null;
        ObjectValue position = hasDefault ? (expected as ObjectValue ?? ObjectValue.Empty).With(Value.From("NonNull"), BooleanValue.False) : (expected as ObjectValue ?? ObjectValue.Empty);
        if (!GraphQLDocument.IsCompatible(GraphQLDocument.Part(variable, "Type"), position))
            Fail(value, $"Variable \"${raw}\" of type \"{GraphQLDocument.TypeText(variable.Get("Type"))}\" used in position expecting type \"{GraphQLDocument.TypeText(position)}\".");
    }

    void CheckValue(Value value, GraphQLValueKind kind, Value expected, GraphQLType type)
    {
        bool fits = kind switch
        {
            GraphQLValueKind.Variable => true,
            GraphQLValueKind.Null => !GraphQLDocument.Flag(expected, "NonNull"),
            GraphQLValueKind.List => expected.Get("Elem") is not null,
            GraphQLValueKind.Int => type.Name is "Int" or "Float" or "ID" && GraphQLLiteral.IsNumberInRange(value),
            GraphQLValueKind.Float => type.Name == "Float" && GraphQLLiteral.IsNumberInRange(value),
            GraphQLValueKind.String or GraphQLValueKind.Block => type.Name is "String" or "ID",
            GraphQLValueKind.Boolean => type.Name == "Boolean",
            GraphQLValueKind.Enum => type.Kind == "ENUM" && type.EnumValues.Contains(GraphQLLiteral.Raw(value)),
            _ => true,
        };
        if (!fits) Fail(value, Complaint(value, kind, expected, type));
        if (kind != GraphQLValueKind.Object) return;
        Value[] children = [.. List(value, "Children")];
        foreach (Value field in type.Fields)
        {
            string name = Text(field, "Name");
            if (GraphQLDocument.Flag(field.Get("Type"), "NonNull") && field.Get("DefaultValue") is null && GraphQLDocument.Named(children, name) is null)
                Fail(value, $"Field \"{type.Name}.{name}\" of required type \"{GraphQLDocument.TypeText(field.Get("Type"))}\" was not provided.");
        }
        foreach (Value child in children)
            if (Text(child, "Name") is var name && type.Field(name) is null)
                Fail(child, $"Field \"{name}\" is not defined by type \"{type.Name}\"." + GraphQLSuggestion.Quoted("Did you mean", name, type.Fields.Select(f => Text(f, "Name"))));
    }

    static string Complaint(Value value, GraphQLValueKind kind, Value expected, GraphQLType type)
    {
        string wanted = GraphQLDocument.TypeText(expected), found = GraphQLLiteral.Format(value), raw = GraphQLLiteral.Raw(value);
        if (kind == GraphQLValueKind.Null) return $"Expected value of type \"{wanted}\", found {found}.";
        if (kind == GraphQLValueKind.Enum && type.Kind == "ENUM")
            return $"Value \"{found}\" does not exist in \"{wanted}\" enum." + GraphQLSuggestion.Quoted("Did you mean the enum value", raw, type.EnumValues);
        if (kind is GraphQLValueKind.String or GraphQLValueKind.Block && type.Kind == "ENUM")
            return $"Enum \"{wanted}\" cannot represent non-enum value: {found}." + GraphQLSuggestion.Quoted("Did you mean the enum value", raw, type.EnumValues);
        return wanted switch
        {
            "Int" or "Int!" => kind == GraphQLValueKind.Int ? $"Int cannot represent non 32-bit signed integer value: {found}" : $"Int cannot represent non-integer value: {found}",
            "String" or "String!" or "[String]" => $"String cannot represent a non string value: {found}",
            "Boolean" or "Boolean!" => $"Boolean cannot represent a non boolean value: {found}",
            "Float" or "Float!" => $"Float cannot represent non numeric value: {found}",
            "ID" or "ID!" => $"ID cannot represent a non-string and non-integer value: {found}",
            _ => type.Kind == "ENUM" ? $"Enum \"{wanted}\" cannot represent non-enum value: {found}." : $"Expected value of type \"{wanted}\", found {found}.",
        };
    }
}
