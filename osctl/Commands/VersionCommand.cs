using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Talos.Api.Machine.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static class VersionCommand
{
    static readonly Option<bool> Client = new("--client") { Description = "Only this osctl; ask no node" };

    static readonly Option<bool> Short = new("--short") { Description = "One line each" };

    static readonly Option<bool> Insecure = new("--insecure") { Description = "Show no certificate and believe whoever answers: for a node in maintenance" };

    public static Verb Build() => new("version", "Show the release of osctl and of the nodes",
        "osctl version", "osctl version --client", "osctl version -n cp-1,worker-1 -o json", "osctl version --insecure -e 10.0.0.7   # why is this node in maintenance?")
    {
        Options = { Client, Short, Insecure },
        Run = RunAsync,
    };

    static async Task<int> RunAsync(Invocation invocation)
    {
        var asks = !invocation.Get(Client) && (invocation.HasContext || invocation.IsGiven(GlobalOptions.Nodes) || invocation.IsGiven(GlobalOptions.Endpoints));
        if (!invocation.IsTree) WriteClient(invocation);
        IReadOnlyList<Answer<VersionResponse>> answers = [];
        if (asks) answers = invocation.Get(Insecure) ? await AskUnverifiedAsync(invocation) : await AskAsync(invocation);
        if (invocation.IsTree) WriteTree(invocation, answers);
        else WriteServers(invocation, answers);
        if (!asks && !invocation.Get(Client)) invocation.Terminal.Error.WriteLine("hint: there is no context yet; `osctl cluster create` starts a cluster");
        return Answer<VersionResponse>.ExitCode(answers);
    }

    static Task<IReadOnlyList<Answer<VersionResponse>>> AskAsync(Invocation invocation) =>
        FanOut.AskAsync<VersionResponse>(invocation, async (connection, options) => await connection.Machine().VersionAsync(new VersionRequest(), options), invocation.Timeout);

    static async Task<IReadOnlyList<Answer<VersionResponse>>> AskUnverifiedAsync(Invocation invocation)
    {
        var context = invocation.HasContext ? invocation.Context() : new Api.Configuration.ClientContext();
        var targets = Target.Select(context, invocation.Words(GlobalOptions.Nodes), invocation.Words(GlobalOptions.Endpoints), Target.Direct);
        return await Task.WhenAll(targets.Select(async target =>
        {
            using var connection = PeerConnection.Unverified(target.Endpoint, invocation.Terminal.Time);
            return await FanOut.AskAsync<VersionResponse>(invocation, target, connection, async (c, options) => await c.Machine().VersionAsync(new VersionRequest(), options), invocation.Timeout);
        }));
    }

    static void WriteClient(Invocation invocation)
    {
        if (invocation.Get(Short)) { invocation.Output.WriteLine($"Client {Release.Tag}-{Release.Sha}"); return; }
        invocation.Output.WriteLine("Client:");
        Line(invocation, "Tag", Release.Tag);
        Line(invocation, "SHA", Release.Sha);
        Line(invocation, "Runtime", RuntimeInformation.FrameworkDescription);
        Line(invocation, "OS/Arch", Release.Platform);
    }

    static void WriteServers(Invocation invocation, IReadOnlyList<Answer<VersionResponse>> answers)
    {
        if (answers.Any(a => a.Value is not null) && !invocation.Get(Short)) invocation.Output.WriteLine("Server:");
        foreach (var answer in answers)
        {
            if (answer.Value is not { } value) continue;
            if (invocation.Get(Short)) { invocation.Output.WriteLine($"Server {answer.Target.Name} {value.Tag}-{value.Sha}"); continue; }
            Line(invocation, "NODE", answer.Target.Name);
            Line(invocation, "Tag", value.Tag);
            Line(invocation, "SHA", value.Sha);
            Line(invocation, "Runtime", value.Runtime);
            Line(invocation, "OS/Arch", value.Platform);
            Line(invocation, "Kernel", value.Kernel);
            Line(invocation, "Machine", $"{Text.Word(value.MachineType).ToLowerInvariant()} {value.Hostname}, {Text.Word(value.Stage).ToLowerInvariant()}");
            if (value.Stage != MachineStage.Maintenance)
                Line(invocation, "Revocations", value.RevocationAge is { } age ? $"known as of {DurationText.Format(age.ToTimeSpan())} ago" : "nothing is known of them");
            if (value.MaintenanceReason.Length > 0) Line(invocation, "Reason", value.MaintenanceReason.Replace("\n", "\n\t             "));
        }
        Answers.PrintFailures(invocation, answers);
    }

    static void WriteTree(Invocation invocation, IReadOnlyList<Answer<VersionResponse>> answers)
    {
        var servers = new JsonArray();
        foreach (var answer in answers)
        {
            var tree = answer.Value is { } value ? MessageTree.From(value) : new JsonObject { ["error"] = answer.Failure!.Message };
            servers.Add((JsonNode)Answers.Named(answer.Target.Name, tree));
        }
        var client = new JsonObject { ["tag"] = Release.Tag, ["sha"] = Release.Sha, ["runtime"] = RuntimeInformation.FrameworkDescription, ["platform"] = Release.Platform };
        TreeWriter.Write(invocation.Output, new JsonObject { ["client"] = client, ["servers"] = servers }, invocation.Format);
    }

    static void Line(Invocation invocation, string name, string value) => invocation.Output.WriteLine($"\t{name + ":",-12} {value}");
}
