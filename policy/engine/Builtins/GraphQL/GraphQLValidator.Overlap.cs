namespace Talos.Policy;

/// <summary>§5.3.2: fields of one name in the answer must be the same field.</summary>
sealed partial class GraphQLValidator
{
    sealed record Conflict(string ResponseName, string Message, Value At)
    {
        public List<Conflict> Inner { get; init; } = [];

        public string Reason => Inner.Count == 0 ? Message : string.Join(" and ", Inner.Select(c => $"subfields \"{c.ResponseName}\" conflict because {c.Reason}"));
    }

    readonly Dictionary<(string, string), bool> _comparedPairs = [];

    void FindConflicts(Value node)
    {
        (List<Value> fields, List<string> spreads) = Collect(node);
        if (fields.Count + spreads.Count < 2) return;
        var conflicts = new List<Conflict>();
        foreach (IGrouping<string, Value> same in fields.GroupBy(f => Text(f, "Alias"), StringComparer.Ordinal))
        {
            Value[] all = [.. same];
            for (int i = 0; i < all.Length; i++)
                for (int j = i + 1; j < all.Length; j++) AddConflict(conflicts, false, all[i], all[j]);
        }
        var compared = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < spreads.Count; i++)
        {
            BetweenFieldsAndFragment(conflicts, false, fields, spreads[i], compared);
            for (int j = i + 1; j < spreads.Count; j++) BetweenFragments(conflicts, false, spreads[i], spreads[j]);
        }
        foreach (Conflict conflict in conflicts)
            Fail(conflict.At, $"Fields \"{conflict.ResponseName}\" conflict because {conflict.Reason}. Use different aliases on the fields to fetch both if this was intentional.");
    }

    // The fields of a selection set with those of its inline fragments, and the names of the fragments it spreads.
    static (List<Value> Fields, List<string> Spreads) Collect(Value node)
    {
        var fields = new List<Value>();
        var spreads = new List<string>();
        void Visit(Value set)
        {
            foreach (Value selection in List(set, "SelectionSet"))
            {
                if (IsSpread(selection))
                {
                    if (!spreads.Contains(Text(selection, "Name"))) spreads.Add(Text(selection, "Name"));
                }
                else if (selection.Get("Alias") is null) Visit(selection);
                else fields.Add(selection);
            }
        }
        Visit(node);
        return (fields, spreads);
    }

    void BetweenFieldsAndFragment(List<Conflict> conflicts, bool exclusive, List<Value> fields, string name, HashSet<string> compared)
    {
        if (!compared.Add(name) || !_fragments.TryGetValue(name, out Value? fragment)) return;
        _evaluation.CheckStack();
        (List<Value> others, List<string> spreads) = Collect(fragment);
        if (fields.SequenceEqual(others, ReferenceEqualityComparer.Instance)) return;
        Between(conflicts, exclusive, fields, others);
        foreach (string spread in spreads.Where(s => s != name)) BetweenFieldsAndFragment(conflicts, exclusive, fields, spread, compared);
    }

    void BetweenFragments(List<Conflict> conflicts, bool exclusive, string a, string b)
    {
        if (a == b) return;
        // Compared as not exclusive is compared either way.
        (string, string) pair = string.CompareOrdinal(a, b) < 0 ? (a, b) : (b, a);
        if (_comparedPairs.TryGetValue(pair, out bool before) && (exclusive || !before)) return;
        _comparedPairs[pair] = exclusive;
        if (!_fragments.TryGetValue(a, out Value? first) || !_fragments.TryGetValue(b, out Value? second)) return;
        _evaluation.CheckStack();
        (List<Value> fieldsA, List<string> spreadsA) = Collect(first);
        (List<Value> fieldsB, List<string> spreadsB) = Collect(second);
        Between(conflicts, exclusive, fieldsA, fieldsB);
        foreach (string spread in spreadsB) BetweenFragments(conflicts, exclusive, a, spread);
        foreach (string spread in spreadsA) BetweenFragments(conflicts, exclusive, spread, b);
    }

    void Between(List<Conflict> conflicts, bool exclusive, List<Value> a, List<Value> b)
    {
        ILookup<string, Value> byName = b.ToLookup(f => Text(f, "Alias"), StringComparer.Ordinal);
        foreach (Value first in a)
            foreach (Value second in byName[Text(first, "Alias")]) AddConflict(conflicts, exclusive, first, second);
    }

    void AddConflict(List<Conflict> conflicts, bool parentsExclusive, Value a, Value b)
    {
        _evaluation.Tick();
        if (ReferenceEquals(a, b) || !_fields.TryGetValue(a, out var x) || !_fields.TryGetValue(b, out var y) || x.Definition is null || y.Definition is null || x.Parent is null || y.Parent is null) return;
        bool exclusive = parentsExclusive || (x.Parent.Name != y.Parent.Name && x.Parent.Kind == "OBJECT" && y.Parent.Kind == "OBJECT");
        string response = Text(a, "Alias"), nameA = Text(a, "Name"), nameB = Text(b, "Name");
        if (!exclusive && nameA != nameB) conflicts.Add(new(response, $"{nameA} and {nameB} are different fields", b));
        else if (!exclusive && !HaveSameArguments(a, b)) conflicts.Add(new(response, "they have differing arguments", b));
        else if (TypesConflict(GraphQLDocument.Part(x.Definition, "Type"), GraphQLDocument.Part(y.Definition, "Type")))
            conflicts.Add(new(response, $"they return conflicting types {GraphQLDocument.TypeText(x.Definition.Get("Type"))} and {GraphQLDocument.TypeText(y.Definition.Get("Type"))}", b));
        else if (Below(exclusive, a, b) is { Count: > 0 } inner) conflicts.Add(new(response, "", b) { Inner = inner });
    }

    List<Conflict> Below(bool exclusive, Value a, Value b)
    {
        _evaluation.CheckStack();
        var conflicts = new List<Conflict>();
        (List<Value> fieldsA, List<string> spreadsA) = Collect(a);
        (List<Value> fieldsB, List<string> spreadsB) = Collect(b);
        Between(conflicts, exclusive, fieldsA, fieldsB);
        foreach (string spread in spreadsB) BetweenFieldsAndFragment(conflicts, exclusive, fieldsA, spread, new(StringComparer.Ordinal));
        foreach (string spread in spreadsA) BetweenFieldsAndFragment(conflicts, exclusive, fieldsB, spread, new(StringComparer.Ordinal));
        foreach (string first in spreadsA)
            foreach (string second in spreadsB) BetweenFragments(conflicts, exclusive, first, second);
        return conflicts;
    }

    static bool HaveSameArguments(Value a, Value b)
    {
        Value[] first = [.. List(a, "Arguments")], second = [.. List(b, "Arguments")];
        return first.Length == second.Length && first.All(x => second.Any(y => Text(x, "Name") == Text(y, "Name") && GraphQLDocument.Part(x, "Value").Equals(GraphQLDocument.Part(y, "Value"))));
    }

    bool TypesConflict(Value a, Value b)
    {
        if (a.Get("Elem") is { } x) return b.Get("Elem") is not { } y || TypesConflict(x, y);
        if (b.Get("Elem") is not null || GraphQLDocument.Flag(a, "NonNull") != GraphQLDocument.Flag(b, "NonNull")) return true;
        string nameA = GraphQLDocument.TypeName(a), nameB = GraphQLDocument.TypeName(b);
        bool leafs = _schema.Types.TryGetValue(nameA, out GraphQLType? typeA) && _schema.Types.TryGetValue(nameB, out GraphQLType? typeB) && !typeA.IsComposite && !typeB.IsComposite;
        return leafs && nameA != nameB;
    }
}
