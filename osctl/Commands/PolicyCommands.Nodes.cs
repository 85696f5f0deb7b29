using System.CommandLine;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Talos.Api.Policy.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;
using Talos.Policy;

namespace Talos.Osctl.Commands;

/// <summary>The policy that nodes have in force.</summary>
static partial class PolicyCommands
{
    // LIMIT: what a node takes in one request.
    const int MaxPushed = 1 << 20;

    static readonly Option<string> SigningKey = new("--sign-with") { Description = "Private key (EC or RSA, PEM) to sign with", HelpName = "FILE" };

    static readonly Option<string> KeyId = new("--key-id") { Description = "Names the key to whoever verifies", HelpName = "ID", DefaultValueFactory = _ => "default" };

    static readonly Option<bool> DryRun = new("--dry-run") { Description = "Let the nodes check everything and change nothing" };

    static readonly Option<string> RequiredSigningKey = new("--key") { Description = "Private key (EC or RSA, PEM) to sign with", HelpName = "FILE", Required = true };

    static Verb Sign() => new("sign", "Write .signatures.json into a bundle's directory", "osctl policy sign policy/bundle --key policy.key")
    {
        Arguments = { Bundle },
        Options = { RequiredSigningKey, KeyId },
        Run = invocation =>
        {
            var folder = invocation.Get(Bundle);
            if (!Directory.Exists(folder)) throw new OsctlException($"`{folder}` is no directory", "sign the directory, then pack it");
            var target = Path.Combine(folder, ".signatures.json");
            File.WriteAllText(target, Guard(() => PolicyBundle.Sign(folder, File.ReadAllText(invocation.Get(RequiredSigningKey)), invocation.Get(KeyId))));
            invocation.Output.WriteLine($"{target}: signs every file of the bundle");
            return Task.FromResult(ExitCode.Done);
        },
    };

    static Verb Push() => new("push", "Put a bundle in force on the nodes and on trustd, at once and across reboots",
        "osctl policy push policy/bundle --sign-with policy.key", "osctl policy push bundle.tar.gz --dry-run", "osctl policy push policy/bundle -n worker-1")
    {
        Arguments = { Bundle },
        Options = { SigningKey, KeyId, DryRun },
        Run = async invocation =>
        {
            var request = new PushRequest { Bundle = UnsafeByteOperations.UnsafeWrap(Pack(invocation)), DryRun = invocation.Get(DryRun) };
            return await invocation.AskAndPrintAsync((c, options) => c.Policy().PushAsync(request, options), invocation.Table("NODE", "RESPONSE", "REVISION", "BEFORE"),
                (table, node, answer) => table.Add(node, request.DryRun ? "would be in force" : "in force", answer.Revision, answer.PreviousRevision), withTrustd: true);
        },
    };

    static Verb Restore() => new("restore", "Go back to the bundle that came with the release", "osctl policy restore", "osctl policy restore -n worker-1")
    {
        Run = invocation => invocation.AskAndPrintAsync((c, options) => c.Policy().RestoreAsync(new RestoreRequest(), options),
            invocation.Table("NODE", "RESPONSE", "REVISION", "BEFORE"), (table, node, answer) => table.Add(node, "in force", answer.Revision, answer.PreviousRevision), withTrustd: true),
    };

    static Verb Status() => new("status", "Show which policy is in force where, since when and where it came from", "osctl policy status", "osctl policy status -o wide")
    {
        // trustd has the same rules as the nodes, so what concerns all of them concerns it too.
        Run = invocation => invocation.AskAndPrintAsync((c, options) => c.Policy().StatusAsync(new StatusRequest(), options),
            invocation.Table("NODE", "REVISION", "ORIGIN", "SINCE", "SIGNATURE", "DECIDES", "PROBLEM", "+METHODS"), (table, node, answer) => table.Add(
                node, answer.Revision, Text.Word(answer.Origin).ToLowerInvariant(), Text.Second(answer.Since), answer.SignatureRequired ? "required" : "not required",
                answer.Opa.Length == 0 ? "itself" : answer.Opa, answer.KeptBundleError, Text.Number(answer.Methods)), withTrustd: true),
    };

    // Without a bundle to ask, the nodes say what they would decide, for the caller or for somebody else.
    static async Task<int> AskNodesAsync(Invocation invocation)
    {
        var request = new DecideRequest { Method = invocation.Get(Method), Name = invocation.IsGiven(As) ? invocation.Get(As) : "", Roles = { invocation.Words(Role) } };
        var answers = await FanOut.AskAsync<DecideResponse>(invocation, async (connection, options) => await connection.Policy().DecideAsync(request, options), invocation.Timeout);
        if (invocation.IsTree)
        {
            TreeWriter.Write(invocation.Output, new JsonArray([.. answers.Where(a => a.Value is not null).Select(a => Answers.Named(a.Target.Name, MessageTree.From(a.Value!)))]), invocation.Format);
        }
        else
        {
            foreach (var answer in answers)
            {
                if (answer.Value is not { } decision) continue;
                var node = answers.Count > 1 ? $"{answer.Target.Name}: " : "";
                invocation.Output.WriteLine($"{node}{(decision.Allowed ? "yes" : "no")}: {decision.Sentence} ({decision.Reason})");
            }
        }
        Answers.PrintFailures(invocation, answers);
        var code = Answer<DecideResponse>.ExitCode(answers);
        return code != ExitCode.Done ? code : answers.All(a => a.Value!.Allowed) ? ExitCode.Done : ExitCode.Denied;
    }

    static byte[] Pack(Invocation invocation)
    {
        var path = invocation.Get(Bundle);
        // What a node would refuse is better learnt here, with every error.
        Load(path);
        var bytes = Guard(() => PolicyBundle.Pack(
            path, invocation.Get(SigningKey) is { Length: > 0 } key ? PolicyBundle.Sign(path, File.ReadAllText(key), invocation.Get(KeyId)) : null));
        return bytes.Length <= MaxPushed - 1024 ? bytes : throw new OsctlException($"the bundle is {bytes.Length} bytes packed; a node takes {MaxPushed - 1024}", "leave out what the rules do not need");
    }

    static T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (PolicyException e)
        {
            throw Refuse(e.Errors);
        }
    }
}
