using System.Text.Json.Nodes;
using Talos.Audit;
using Talos.Osctl.Contexts;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;
using Talos.Osctl.Records;

namespace Talos.Osctl.Commands;

static partial class AuditCommands
{
    sealed record Verified(AuditVerification Result, NoteVerifierKey Key, bool FirstSeen);

    static Verb Verify() => new("verify", "Verify a record: every entry, the tree over them, the signature, and that the past is the one seen before",
        "osctl audit verify", "osctl audit verify -n cp-1,worker-1", "osctl audit verify --from-export ./record",
        "osctl audit verify --from-export ./record --witness worker-1.witness")
    {
        Options = { FromExport, Key, NewKey, Witness },
        Run = invocation => invocation.Get(FromExport) is { Length: > 0 } folder ? VerifyFolderAsync(invocation, folder) : VerifyNodesAsync(invocation),
    };

    static Task<int> VerifyFolderAsync(Invocation invocation, string folder)
    {
        if (!Directory.Exists(folder)) throw new OsctlException($"there is no folder `{folder}`", "`osctl audit export FOLDER` makes one");
        var path = Path.Combine(folder, RecordCopy.KeyFile);
        var text = invocation.Get(Key) is { Length: > 0 } given ? given : File.Exists(path) ? ContextFile.ReadText(path) : throw new OsctlException("the folder does not hold the log's key", "give it with `--key`");
        var key = ParseKey(text);
        var result = AuditVerifier.Verify(folder, new AuditVerifierOptions { LogKeys = [key], Witnesses = Witnesses(invocation) });
        var target = new Target(folder, new Api.Configuration.Endpoint("localhost", 1));
        return Task.FromResult(Print(invocation, [new Answer<Verified>(target, new Verified(result, key, FirstSeen: false), null)]));
    }

    static async Task<int> VerifyNodesAsync(Invocation invocation)
    {
        var folder = Directory.CreateTempSubdirectory("osctl-record-");
        try
        {
            var answers = await FanOut.AskAsync<Verified>(invocation, async (connection, options) =>
            {
                var node = NodeOf(invocation, connection);
                var copy = Path.Combine(folder.FullName, Path.GetRandomFileName());
                var shown = await RecordCopy.FetchAsync(connection, copy, options);
                return Judge(invocation, SeenRecord.Of(invocation, invocation.ContextName, node), copy, shown);
            }, null);
            return Print(invocation, answers);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static Verified Judge(Invocation invocation, SeenRecord seen, string copy, NoteVerifierKey shown)
    {
        if (invocation.Get(NewKey)) seen.Forget();
        var trusted = invocation.Get(Key) is { Length: > 0 } given ? given : seen.Key;
        var key = trusted is null ? shown : ParseKey(trusted);
        var result = AuditVerifier.Verify(
            copy, new AuditVerifierOptions { LogKeys = [key], KnownCheckpoints = seen.Checkpoints, Witnesses = Witnesses(invocation) });
        if (result is { Verdict: AuditVerdict.Verified, Checkpoint: { } checkpoint }) seen.Remember(key, checkpoint);
        return new Verified(result, key, trusted is null);
    }

    static int Print(Invocation invocation, IReadOnlyList<Answer<Verified>> answers)
    {
        var code = Answer<Verified>.ExitCode(answers);
        var sound = answers.All(a => a.Value is null or { Result.Verdict: AuditVerdict.Verified });
        if (invocation.IsTree)
        {
            Answers.Print(invocation, answers, invocation.Table(), (_, _, _) => { }, Tree);
        }
        else
        {
            foreach (var answer in answers)
            {
                if (answer.Value is { } verified) Write(invocation, answer.Target.Name, verified);
            }
            Answers.PrintFailures(invocation, answers);
        }
        return code == ExitCode.Done && !sound ? ExitCode.NotInOrder : code;
    }

    static void Write(Invocation invocation, string name, Verified verified)
    {
        var result = verified.Result;
        if (result.Verdict == AuditVerdict.Verified)
        {
            var open = result.OpenCalls.Count == 0 ? "" : $", {result.OpenCalls.Count} of them calls that have not ended yet";
            var kept = result.FirstIndex == 0 ? "" : $" of which those from {result.FirstIndex} on are kept";
            invocation.Output.WriteLine($"{name}: verified, {result.Size} entries under one signed root{kept}{open}");
            foreach (var witness in result.Witnesses)
                invocation.Output.WriteLine(
                    $"{name}: {witness.Name} signed the first {witness.Size} entries on {Text.Second(witness.Time)} UTC");
            if (verified.FirstSeen) invocation.Output.WriteLine($"{name}: its key is seen for the first time and kept: {verified.Key}");
            return;
        }
        invocation.Output.WriteLine(
            $"{name}: NOT VERIFIED" + (result.FirstBadIndex is { } bad ? $", entry {bad} is the first that is not what was recorded" : ""));
        foreach (var finding in result.Findings)
        {
            invocation.Output.WriteLine($"  {finding.Message}");
            if (finding.Hint.Length > 0) invocation.Output.WriteLine($"    hint: {finding.Hint}");
        }
        if (result.FindingCount > result.Findings.Count)
            invocation.Output.WriteLine($"  and {result.FindingCount - result.Findings.Count} more");
    }

    static JsonObject Tree(Verified verified) => new()
    {
        ["verdict"] = verified.Result.Verdict.ToString().ToLowerInvariant(),
        ["entries"] = verified.Result.Size,
        ["first_bad_index"] = verified.Result.FirstBadIndex is { } bad ? bad : null,
        ["first_index"] = verified.Result.FirstIndex,
        ["witnesses"] = new JsonArray([.. verified.Result.Witnesses.Select(w => (JsonNode)new JsonObject
        {
            ["name"] = w.Name,
            ["size"] = w.Size is { } size ? size : null,
            ["time"] = w.Time is { } time ? time.UtcDateTime : null,
        })]),
        ["open_calls"] = new JsonArray([.. verified.Result.OpenCalls.Select(i => (JsonNode)i)]),
        ["key"] = verified.Key.ToString(),
        ["findings"] = new JsonArray([.. verified.Result.Findings.Select(f => (JsonNode)new JsonObject
        {
            ["defect"] = f.Defect.ToString(),
            ["index"] = f.Index is { } index ? index : null,
            ["message"] = f.Message,
            ["hint"] = f.Hint,
        })]),
    };

    static NoteVerifierKey ParseKey(string text, string whose = "the log's key") =>
        NoteVerifierKey.TryParse(text.Trim(), out var key, out var error) ? key : throw new OsctlException($"{whose}: {error}");

    static IReadOnlyList<NoteVerifierKey> Witnesses(Invocation invocation) =>
        [.. (invocation.Get(Witness) ?? []).Select(given => ParseKey(File.Exists(given) ? ContextFile.ReadText(given) : given, $"the witness `{given}`"))];
}
