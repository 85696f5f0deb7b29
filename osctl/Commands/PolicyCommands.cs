using System.CommandLine;
using System.Text.Json.Nodes;
using Talos.Osctl.Output;
using Talos.Policy;

namespace Talos.Osctl.Commands;

/// <summary>Policy bundles: those on this machine, and those that nodes have in force.</summary>
static partial class PolicyCommands
{
    static readonly Argument<string> Bundle = new("BUNDLE") { Description = "Directory or tar.gz in OPA's bundle layout" };

    static readonly Argument<string> After = new("NEW") { Description = "The bundle to compare with" };

    static readonly Argument<string> Query = new("QUERY") { Description = "Rego expressions" };

    static readonly Argument<string> Method = new("METHOD") { Description = "`Reboot`, or the full gRPC name" };

    static readonly Option<string> BundleOption = new("--bundle") { Description = "The bundle to ask", HelpName = "PATH", DefaultValueFactory = _ => "policy/bundle" };

    static readonly Option<string> Input = new("--input") { Description = "Document `input`: JSON, YAML (.yaml) or a Rego term", HelpName = "FILE" };

    static readonly Option<string> Key = new("--key") { Description = "Public key that must have signed the bundle", HelpName = "FILE" };

    static readonly Option<string> As = new("--as") { Description = "Name of the caller", DefaultValueFactory = _ => "someone" };

    static readonly Option<string[]> Role = new("--role") { Description = "Role of the caller; may be repeated" };

    public static Verb Build()
    {
        var policy = new Verb("policy", "Check, test, ask, compare and push policy bundles", "osctl policy test policy/bundle", "osctl policy diff old.tar.gz new.tar.gz", "osctl policy push policy/bundle");
        policy.Add(new Verb("check", "Compile a bundle and name every mistake with its line and column", "osctl policy check policy/bundle") { Arguments = { Bundle }, Options = { Key }, Run = i => Task.FromResult(Check(i)) });
        policy.Add(new Verb("test", "Run the rules named test_ and show what they do not reach", "osctl policy test policy/bundle") { Arguments = { Bundle }, Run = i => Task.FromResult(Test(i)) });
        policy.Add(new Verb("eval", "Answer a query", "osctl policy eval data.talos.authz.decision --input call.json") { Arguments = { Query }, Options = { BundleOption, Input }, Run = i => Task.FromResult(Eval(i)) });
        policy.Add(new Verb("explain", "Decide one call and show the rules and values that led there", "osctl policy explain Reboot --role os:operator") { Arguments = { Method }, Options = { BundleOption, As, Role }, Run = i => Task.FromResult(Explain(i)) });
        policy.Add(new Verb("diff", "Show which role gains or loses which method", "osctl policy diff old new") { Arguments = { Bundle, After }, Run = i => Task.FromResult(Diff(i)) });
        foreach (var verb in (Verb[])[Sign(), Push(), Status(), Restore()]) policy.Add(verb);
        return policy;
    }

    public static Verb CanI() => new("can-i", "Say whether a call would be allowed, and why: by the nodes' policy, or by a bundle's",
        "osctl can-i Reboot", "osctl can-i Reboot --as rita --role os:reader", "osctl can-i Reboot --role os:reader --bundle policy/bundle")
    {
        Arguments = { Method },
        Options = { BundleOption, As, Role },
        Run = async invocation =>
        {
            if (!invocation.IsGiven(BundleOption) && invocation.HasContext) return await AskNodesAsync(invocation);
            Decision decision = Ask(invocation).Decision;
            if (invocation.IsTree) TreeWriter.Write(invocation.Output, Tree(decision), invocation.Format);
            else invocation.Output.WriteLine($"{(decision.Outcome == DecisionOutcome.Allow ? "yes" : "no")}: {decision.Sentence} ({decision.ReasonId})");
            return decision.Outcome == DecisionOutcome.Allow ? ExitCode.Done : ExitCode.Denied;
        },
    };

    static PolicyBundle Load(string path, string key = "")
    {
        BundleVerification? verification = key.Length == 0 ? null : new BundleVerification(File.ReadAllText(key));
        return PolicyBundle.TryLoad(path, verification, out PolicyBundle? bundle, out IReadOnlyList<PolicyError> errors) ? bundle! : throw Refuse(errors);
    }

    static OsctlException Refuse(IReadOnlyList<PolicyError> errors) => new(string.Join(Environment.NewLine, errors.Select(e => (e with { Hint = null }).ToString())), errors[0].Hint);

    static int Check(Invocation invocation)
    {
        try
        {
            IReadOnlyList<PolicyError> errors = PolicyBundle.CheckStrictly(invocation.Get(Bundle));
            if (errors.Count > 0 && invocation.IsTree) TreeWriter.Write(invocation.Output, Tree(errors), invocation.Format);
            if (errors.Count > 0) throw Refuse(errors);
            PolicyBundle bundle = Load(invocation.Get(Bundle), invocation.Get(Key));
            if (invocation.IsTree)
            {
                TreeWriter.Write(invocation.Output, new JsonObject { ["revision"] = bundle.Revision, ["methods"] = List(bundle.Methods) }, invocation.Format);
                return ExitCode.Done;
            }
            invocation.Output.WriteLine($"{invocation.Get(Bundle)}: valid, revision {bundle.Revision}, {bundle.Methods.Count} methods");
            return ExitCode.Done;
        }
        catch (OsctlException e)
        {
            invocation.Terminal.Fail(e.Message, e.Hint);
            return ExitCode.NotInOrder;
        }
    }

    static JsonObject Tree(IEnumerable<PolicyError> errors) => new()
    {
        ["errors"] = new JsonArray([.. errors.Select(e => new JsonObject
            { ["code"] = e.Code, ["file"] = e.File, ["line"] = e.Line, ["column"] = e.Column, ["message"] = e.Message, ["hint"] = e.Hint ?? "" })]),
    };

    static int Test(Invocation invocation)
    {
        var report = Guard(() => PolicyTest.Run(invocation.Get(Bundle)));
        var code = report.IsSuccess ? ExitCode.Done : ExitCode.NotInOrder;
        if (invocation.IsTree)
        {
            TreeWriter.Write(invocation.Output, Tree(report), invocation.Format);
            return code;
        }
        var table = invocation.Table("TEST", "RESULT", "FILE", "+DETAIL");
        foreach (PolicyTestResult result in report.Results) table.Add(result.Name, result.Outcome.ToString().ToLowerInvariant(), $"{result.File}:{result.Line}", result.Detail);
        table.Write(invocation.Output);
        foreach (PolicyCoverage file in report.Coverage)
            invocation.Output.WriteLine($"{file.File}: {file.Percent:F0} % of lines{(file.NotCovered.Count == 0 ? "" : $", not {string.Join(", ", file.NotCovered)}")}");
        invocation.Output.WriteLine($"{report.Results.Count(r => r.Outcome == PolicyTestOutcome.Passed)} passed, {report.Results.Count(r => r.Outcome is PolicyTestOutcome.Failed or PolicyTestOutcome.Error)} failed");
        return code;
    }

    static int Eval(Invocation invocation)
    {
        try
        {
            RegoInput? input = invocation.Get(Input) is { Length: > 0 } file ? RegoInput.Parse(File.ReadAllText(file), file) : null;
            IReadOnlyList<string> results = Prepare(Load(invocation.Get(BundleOption)).ToProgram(), invocation.Get(Query)).Run(input, new RegoQueryOptions { StrictBuiltinErrors = true });
            foreach (string result in results) invocation.Output.WriteLine(result);
            return results.Count > 0 ? ExitCode.Done : ExitCode.NotInOrder;
        }
        catch (PolicyException e)
        {
            throw Refuse(e.Errors);
        }
        catch (RegoException e)
        {
            throw new OsctlException(e.Message, null);
        }
    }

    // A term alone is asked for its value; a body gives its variables.
    static RegoQuery Prepare(RegoProgram program, string query)
    {
        try
        {
            return program.Prepare("result = " + query);
        }
        catch (PolicyException)
        {
            return program.Prepare(query); // reports the errors of what was typed
        }
    }

    static Explanation Ask(Invocation invocation)
    {
        PolicyBundle bundle = Load(invocation.Get(BundleOption));
        string wanted = invocation.Get(Method);
        string[] found = [.. bundle.Methods.Where(m => m == wanted || m.EndsWith("/" + wanted, StringComparison.OrdinalIgnoreCase))];
        if (found.Length > 1) throw new OsctlException($"`{wanted}` is the name of several methods", "give one of " + string.Join(", ", found));
        var authorizer = Authorizer.Create(bundle, []);
        IReadOnlyList<string> roles = invocation.Words(Role);
        DateTimeOffset now = invocation.Terminal.Time.GetUtcNow();
        AuthorizationCaller caller = AuthorizationCaller.Named(invocation.Get(As), roles, "", "", now, now.AddHours(8), "");
        return authorizer.Explain(new AuthorizationInput { RevocationAge = TimeSpan.Zero, Caller = caller, Method = found is [var only] ? only : wanted, Time = now });
    }

    static int Explain(Invocation invocation)
    {
        Explanation explanation = Ask(invocation);
        Decision decision = explanation.Decision;
        int code = decision.Outcome == DecisionOutcome.Allow ? ExitCode.Done : ExitCode.Denied;
        if (invocation.IsTree)
        {
            TreeWriter.Write(invocation.Output, Tree(explanation), invocation.Format);
            return code;
        }
        invocation.Output.WriteLine($"{decision.Outcome.ToString().ToLowerInvariant()}: {decision.Sentence}");
        invocation.Output.WriteLine($"reason {decision.ReasonId}, rule {decision.Rule}, revision {decision.Revision}");
        foreach (Obligation obligation in decision.Obligations) invocation.Output.WriteLine($"obligation {obligation.Id}: {obligation.Sentence}");
        var rules = invocation.Table("RULE", "WHERE", "VALUE");
        foreach (RuleTrace rule in explanation.Rules) rules.Add(rule.Rule, $"{rule.File}:{rule.Line}", rule.Value);
        rules.Write(invocation.Output);
        var reads = invocation.Table("READ", "VALUE");
        foreach (InputRead read in explanation.Reads) reads.Add(read.Path, read.Value);
        reads.Write(invocation.Output);
        return code;
    }

    static int Diff(Invocation invocation)
    {
        IReadOnlyList<PolicyChange> changes = PolicyDiff.Compare(Load(invocation.Get(Bundle)), Load(invocation.Get(After)));
        if (invocation.IsTree)
        {
            TreeWriter.Write(invocation.Output, new JsonArray([.. changes.Select(c => new JsonObject { ["role"] = c.Role, ["change"] = c.IsGain ? "gains" : "loses", ["method"] = c.Method })]), invocation.Format);
            return changes.Count == 0 ? ExitCode.Done : ExitCode.NotInOrder;
        }
        if (changes.Count == 0)
        {
            invocation.Output.WriteLine("no role gains or loses a method");
            return ExitCode.Done;
        }
        var table = invocation.Table("ROLE", "CHANGE", "METHOD");
        foreach (PolicyChange change in changes) table.Add(change.Role, change.IsGain ? "gains" : "loses", change.Method);
        table.Write(invocation.Output);
        return ExitCode.NotInOrder;
    }

    static JsonArray List(IEnumerable<string> words) => new([.. words.Select(w => (JsonNode)w)]);

    static JsonObject Tree(Decision decision) => new()
    {
        ["allowed"] = decision.Outcome == DecisionOutcome.Allow,
        ["reason"] = decision.ReasonId,
        ["sentence"] = decision.Sentence,
        ["rule"] = decision.Rule,
        ["revision"] = decision.Revision,
        ["obligations"] = new JsonArray([.. decision.Obligations.Select(o => new JsonObject { ["id"] = o.Id, ["sentence"] = o.Sentence })]),
    };

    static JsonObject Tree(Explanation explanation)
    {
        var tree = Tree(explanation.Decision);
        tree["rules"] = new JsonArray([.. explanation.Rules.Select(r => new JsonObject { ["rule"] = r.Rule, ["file"] = r.File, ["line"] = r.Line, ["value"] = r.Value })]);
        tree["reads"] = new JsonArray([.. explanation.Reads.Select(r => new JsonObject { ["path"] = r.Path, ["value"] = r.Value })]);
        return tree;
    }

    static JsonObject Tree(PolicyTestReport report) => new()
    {
        ["tests"] = new JsonArray([.. report.Results.Select(r => new JsonObject
            { ["name"] = r.Name, ["outcome"] = r.Outcome.ToString().ToLowerInvariant(), ["file"] = r.File, ["line"] = r.Line, ["detail"] = r.Detail })]),
        ["coverage"] = new JsonArray([.. report.Coverage.Select(c => new JsonObject
            { ["file"] = c.File, ["percent"] = Math.Round(c.Percent, 1), ["notCovered"] = new JsonArray([.. c.NotCovered.Select(line => (JsonNode)line)]) })]),
    };
}
