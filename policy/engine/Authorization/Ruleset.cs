namespace Talos.Policy;

/// <summary>One bundle revision in force: its program, its entry point and the decisions known ahead.</summary>
sealed class Ruleset
{
    const string EntryPoint = "data.talos.authz.decision = decision";
    static readonly Value[] InvalidPath = [Value.From("talos"), Value.From("authz"), Value.From("invalid")];
    static readonly Value[] MethodsPath = [Value.From("talos"), Value.From("authz"), Value.From("methods")];
    static readonly Value[] OldAfterPath = [Value.From("talos"), Value.From("authz"), Value.From("revocations_old_after")];
    static readonly Value[] RolesPath = [Value.From("talos"), Value.From("roles")];

    readonly Program _program;
    readonly Query _query;
    readonly DecisionTable _table;
    readonly EvaluationOptions _options;

    // Rules that do not say it hold knowledge to be current however old it is, and must look at its age themselves.
    TimeSpan OldAfter { get; init; } = TimeSpan.MaxValue;

    Ruleset(PolicyBundle bundle, Query query, DecisionTable table, EvaluationOptions options)
    {
        Revision = bundle.Revision;
        _program = bundle.Program;
        _query = query;
        _table = table;
        _options = options;
    }

    public string Revision { get; }

    public DecisionTable Table => _table;

    public required IReadOnlyList<string> Methods { get; init; }

    public static Ruleset Build(PolicyBundle bundle, IReadOnlyCollection<string> methods, EvaluationLimits limits)
    {
        var errors = new List<PolicyError>();
        var options = new EvaluationOptions { Limits = limits };
        Query? query = Compiler.CompileQuery(bundle.Program, EntryPoint, errors);
        if (query is null) throw new PolicyException(errors);
        ObjectValue rules = Object(bundle, options, MethodsPath) ?? ObjectValue.Empty;
        string[] named = [.. rules.Keys.Sorted.OfType<StringValue>().Select(s => s.Text)];
        string[] missing = [.. methods.Except(named, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (missing.Length > 0) throw PolicyException.MissingMethods(missing);
        RefuseInvalid(bundle, options);
        string[] roles = Roles(rules, Object(bundle, options, RolesPath));
        var table = new DecisionTable(named, roles);
        var ruleset = new Ruleset(bundle, query, table, options)
        {
            Methods = named,
            OldAfter = Document(bundle, options, OldAfterPath) is NumberValue n && long.TryParse(n.ToString(), out long nanoseconds) ? TimeSpan.FromTicks(nanoseconds / 100) : TimeSpan.MaxValue,
        };
        ruleset.Precompute(named, roles);
        return ruleset;
    }

    public static IReadOnlyList<string> NamedMethods(PolicyBundle bundle) =>
        [.. (Object(bundle, EvaluationOptions.Default, MethodsPath) ?? ObjectValue.Empty).Keys.Sorted.OfType<StringValue>().Select(s => s.Text)];

    // What the rules themselves find wrong with their data: a misspelt method in a list of exceptions must not be a hole.
    static void RefuseInvalid(PolicyBundle bundle, EvaluationOptions options)
    {
        if (Document(bundle, options, InvalidPath) is not SetValue { Count: > 0 } invalid) return;
        throw new PolicyException([.. invalid.Members.Sorted.ToArray().Select(why => new PolicyError(
            "invalid_data", "", 0, 0, why is StringValue s ? s.Text : why.ToString(), "data.talos.authz.invalid says so"))]);
    }

    static ObjectValue? Object(PolicyBundle bundle, EvaluationOptions options, Value[] path) => Document(bundle, options, path) as ObjectValue;

    static Value? Document(PolicyBundle bundle, EvaluationOptions options, Value[] path)
    {
        try
        {
            Value? value = new Evaluation(bundle.Program, null, options).Document(path);
            return value is VirtualDoc doc ? doc.Force() : value;
        }
        catch (EvaluationException e)
        {
            throw new PolicyException(e.Code, ValueText.Reference("data", path), e.Message);
        }
    }

    static string[] Roles(ObjectValue rules, ObjectValue? custom)
    {
        var roles = new SortedSet<string>(StringComparer.Ordinal);
        foreach (Value rule in rules.Values)
            if (rule.Get("roles") is ArrayValue list)
                foreach (Value role in list.Items)
                    if (role is StringValue s) roles.Add(s.Text);
        foreach (Value role in custom?.Keys.Sorted ?? [])
            if (role is StringValue s) roles.Add(s.Text);
        return [.. roles];
    }

    // The callers that there will be, on a node that nobody attested: without certificate, without role, with one role. Others are added as
    // they come.
    void Precompute(string[] methods, string[] roles)
    {
        AuthorizationCaller[] callers =
        [
            AuthorizationCaller.Anonymous(""),
            .. roles.Select(r => AuthorizationCaller.Named("?", [r], "", "", default, default, "")),
            AuthorizationCaller.Named("?", [], "", "", default, default, ""),
        ];
        foreach (string method in methods)
            foreach (AuthorizationCaller caller in callers)
            {
                var input = new AuthorizationInput { RevocationAge = TimeSpan.Zero, Caller = caller, Method = method, Time = DateTimeOffset.UnixEpoch };
                // A policy that runs into its limits here would do so for every entry of the table.
                if (Decide(input).ReasonId == EvaluationFailed) return;
            }
    }

    const string EvaluationFailed = "evaluation_failed";

    public Decision Decide(AuthorizationInput input)
    {
        Decision?[]? slots = _table.Find(input, Knowledge(input), out int slot);
        if (slots is not null && slots[slot] is { } known) return known;
        Decision decision = Evaluate(input, _options, null, out bool isStatic);
        // INVARIANT: a slot is written only with what depends on nothing but its index; two writers write the same.
        if (slots is not null && isStatic) slots[slot] = decision;
        return decision;
    }

    RevocationKnowledge Knowledge(AuthorizationInput input) =>
        input.RevocationAge is not { } age ? RevocationKnowledge.Unknown : age > OldAfter ? RevocationKnowledge.Old : RevocationKnowledge.Current;

    public Decision Evaluate(AuthorizationInput input) => Evaluate(input, _options, null, out _);

    public Decision Evaluate(AuthorizationInput input, EvaluationOptions options, List<(string, Value?)>? reads, out bool isStatic)
    {
        var document = new InputDocument(input, Knowledge(input)) { Reads = reads };
        isStatic = false;
        try
        {
            var evaluation = new Evaluation(_program, document, options) { NowNanoseconds = (input.Time - DateTimeOffset.UnixEpoch).Ticks * 100 };
            List<ObjectValue> results = _query.Run(evaluation);
            isStatic = !document.ReadVarying && !evaluation.CalledImpure;
            return results is [var only] ? DecisionReader.Read(only.Find("decision")!, Revision)
                : Failed("the policy gives no decision");
        }
        catch (EvaluationException e)
        {
            return Failed($"{e.Code}: {e.Message}");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A bug of the engine must not become an answer: the call is denied, and the record names the exception.
            return Failed($"internal error {e.GetType().Name}: {e.Message}");
        }
    }

    public EvaluationOptions Options => _options;

    Decision Failed(string why) => new(DecisionOutcome.Deny, EvaluationFailed, $"the policy could not decide: {why}", "data.talos.authz.decision", Revision);
}
