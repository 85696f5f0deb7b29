using System.CommandLine;
using System.Text.Json.Nodes;
using Grpc.Core;
using Talos.Api.Audit.V1;
using Talos.Audit;
using Talos.Osctl.Contexts;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;
using Talos.Osctl.Records;

namespace Talos.Osctl.Commands;

static partial class AuditCommands
{
    static readonly Argument<string> ProofFile = new("FILE") { Description = "A file that `osctl audit prove` wrote" };

    static readonly Option<string> ProofTo = new("--to") { Description = "Write the proof to this file instead of printing it", HelpName = "FILE" };

    static readonly Option<string> ProofKey = new("--key")
    {
        Description = "The log's key, `name+hash+key`, or a file that holds it. Get it from someone other than who gave you the proof",
        HelpName = "KEY",
    };

    sealed record Proven(string Text, AuditProofResult Result, NoteVerifierKey Key);

    static Verb Prove() => new("prove", "Write a small file that convinces a third party, without any node, that one entry was recorded",
        "osctl audit prove 42 -n cp-1 --to entry-42.proof", "osctl audit prove 42 -n cp-1 > entry-42.proof")
    {
        Arguments = { Index },
        Options = { ProofTo },
        Run = ProveAsync,
    };

    static Verb CheckProof() => new("check-proof", "Check such a file with nothing but the log's key, and show the entry",
        "osctl audit check-proof entry-42.proof --key demo/cp-1/osd+73d5d302+AUP7v/WmxrsXZHPakzZmxRs2UCkBpNiqnspZGFiNcs5q",
        "osctl audit check-proof entry-42.proof --key cp-1.key --witness worker-1.witness -o json")
    {
        Arguments = { ProofFile },
        Options = { ProofKey, Witness },
        Run = invocation => Task.FromResult(Check(invocation)),
    };

    static async Task<int> ProveAsync(Invocation invocation)
    {
        var node = OneNode(invocation, "a proof is about the record of one node");
        var index = invocation.Get(Index);
        var answers = await FanOut.AskAsync(invocation, async (connection, options) =>
        {
            var audit = connection.Audit();
            var answer = await audit.ProveAsync(new ProveRequest { Index = index }, options);
            var shown = (await audit.CheckpointAsync(new CheckpointRequest(), options)).VerifierKey;
            // A node that shows another key than before must not get a proof of it out of here.
            var key = ParseKey(SeenRecord.Of(invocation, invocation.ContextName, node).Key ?? shown);
            if (!AuditProof.TryParse(answer.Proof, out var proof, out var error))
                throw new RpcException(new Status(StatusCode.DataLoss, $"its proof: {error}"));
            var result = proof.Check(key);
            return result.Error is null && proof.Index == index
                ? new Proven(answer.Proof, result, key)
                : throw new RpcException(
                    new Status(StatusCode.DataLoss, $"its proof does not hold: {result.Error ?? $"it is of entry {proof.Index}"}"));
        }, invocation.Timeout);
        Answers.PrintFailures(invocation, answers);
        if (answers[0].Value is not { } proven) return Answer<Proven>.ExitCode(answers);
        if (invocation.Get(ProofTo) is { Length: > 0 } path)
        {
            await File.WriteAllTextAsync(path, proven.Text, invocation.Cancellation);
            invocation.Output.WriteLine($"{node}: `{path}` proves entry {index}; whoever checks it needs the key {proven.Key}");
        }
        else
        {
            invocation.Output.Write(proven.Text);
            invocation.Terminal.Error.WriteLine($"{node}: whoever checks it needs the key {proven.Key}");
        }
        return ExitCode.Done;
    }

    static int Check(Invocation invocation)
    {
        var path = invocation.Get(ProofFile);
        if (!File.Exists(path)) throw new OsctlException($"there is no file `{path}`", "`osctl audit prove INDEX --to FILE` writes one");
        if (invocation.Get(ProofKey) is not { Length: > 0 } given)
            throw new OsctlException(
                "the log's key is needed", "give it with `--key`; who verifies the record has it, `osctl audit status` shows it");
        var key = ParseKey(File.Exists(given) ? ContextFile.ReadText(given) : given);
        if (!AuditProof.TryParse(ContextFile.ReadText(path), out var proof, out var error)) throw new OsctlException($"`{path}`: {error}");
        var result = proof.Check(key, Witnesses(invocation));
        if (result.Record is not { } record)
        {
            invocation.Terminal.Fail($"`{path}` proves nothing: {result.Error}", null);
            return ExitCode.NotInOrder;
        }
        if (invocation.IsTree)
        {
            var tree = new JsonObject { ["log"] = key.Name, ["size"] = result.Checkpoint!.Size, ["entry"] = Tree(record) };
            TreeWriter.Write(invocation.Output, tree, invocation.Format);
            return ExitCode.Done;
        }
        invocation.Output.WriteLine(
            $"`{path}` holds: entry {record.Index} is one of the {result.Checkpoint!.Size} that {key.Name} signed for");
        TreeWriter.Write(invocation.Output, Tree(record), OutputFormat.Yaml);
        return ExitCode.Done;
    }
}
