using Google.Protobuf.WellKnownTypes;
using Talos.Api.Configuration;
using Talos.Api.Machine.V1;
using Talos.Api.Trust.V1;
using Talos.Cluster;
using Talos.Cluster.Provisioning;
using Talos.Osctl.Contexts;
using Talos.Osctl.Nodes;

namespace Talos.Osctl.Commands;

static partial class ClusterCommands
{
    static async Task<int> CreateAsync(Invocation invocation)
    {
        try
        {
            var plan = ClusterPlan.Create(invocation.Get(Name), invocation.IsGiven(Kind) ? invocation.Get(Kind) : Provisioner.Qemu, Folder(invocation), invocation.Get(Count), invocation.Get(FirstPort));
            Directory.CreateDirectory(plan.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var creation = new ClusterCreation(invocation, plan, ClusterRecord.Open(plan), Starter(invocation, plan), invocation.Get(Limit));
            await creation.RunAsync();
            return ExitCode.Done;
        }
        catch (ClusterException e)
        {
            throw new OsctlException(e.Message, e.Hint);
        }
    }

    static Action<ClusterRecord, PlannedNode> Starter(Invocation invocation, ClusterPlan plan)
    {
        if (plan.Provisioner == Provisioner.Process)
        {
            var processes = new ProcessNodes(FirstFolder(invocation.Get(Executables), Path.Combine("out", "bin"), AppContext.BaseDirectory), FirstFolder(invocation.Get(Policy), Path.Combine("policy", "bundle"), Path.Combine(AppContext.BaseDirectory, "policy")));
            return processes.Start;
        }
        var image = Path.GetFullPath(invocation.Get(Image));
        if (QemuNodes.Missing(image) is { } missing) throw new OsctlException($"there is no `{missing}` in `{image}`", "`make image` builds it, or name another folder with `--image`");
        Lazy<QemuNodes> machines = new(() => new QemuNodes(image, KvmProbe.Choose(image), MemoryOf(invocation)));
        return (record, node) => machines.Value.Start(record, node);
    }

    // LIMIT: below, the kernel finds no room for itself and the root; above, QEMU's address space ends.
    static int MemoryOf(Invocation invocation) => invocation.Get(Memory) is >= 192 and <= 1 << 20 and var megabytes
        ? megabytes
        : throw new OsctlException($"`--memory {invocation.Get(Memory)}` is not between 192 and 1048576 MiB", $"a node without workloads takes {QemuNodes.UsualMemory}");

    static string FirstFolder(string given, params string[] usual) =>
        given.Length > 0 ? given : usual.FirstOrDefault(Directory.Exists) ?? usual[0];
}

/// <summary>The steps of `osctl cluster create`. Each looks first at what is there, so that a second run does only what is left.</summary>
sealed class ClusterCreation(Invocation invocation, ClusterPlan plan, ClusterRecord record, Action<ClusterRecord, PlannedNode> start, TimeSpan limit)
{
    const string Admin = "admin";

    static readonly string[] AdminRoles = ["os:admin"];

    // Each question is a handshake more for a machine that is busy starting.
    static readonly TimeSpan MaintenancePause = TimeSpan.FromSeconds(2);

    readonly long _began = invocation.Terminal.Time.GetTimestamp();

    public async Task RunAsync()
    {
        Say($"cluster `{plan.Name}`: {plan.Nodes.Count} node{(plan.Nodes.Count == 1 ? "" : "s")}, {(plan.Provisioner == Provisioner.Qemu ? "virtual machines" : "processes")}, in {plan.Folder}");
        var token = HasGoodCertificate() ? null : PrepareControlPlane();
        await StartAsync(plan.Nodes[0]);
        if (token is not null) await EnrolAdminAsync(token);
        RememberNodes();
        await AnswersAsync(plan.Nodes[0]);
        foreach (var worker in plan.Nodes.Skip(1))
        {
            if (!File.Exists(worker.ConfigurationFile)) await PrepareWorkerAsync(worker);
            await StartAsync(worker);
        }
        foreach (var worker in plan.Nodes.Skip(1)) await AnswersAsync(worker);
        PrintNext();
    }

    bool HasGoodCertificate()
    {
        if (!invocation.File.Content.Contexts.TryGetValue(plan.Name, out var context) || context.CertificatePem is null) return false;
        if (!File.Exists(plan.Nodes[0].ConfigurationFile)) return false;
        var margin = invocation.Terminal.Time.GetUtcNow() + TimeSpan.FromMinutes(5);
        return ClientCredentials.From(context, plan.Name).Own is { } own && own.NotAfter > margin;
    }

    // A token for the administrator's certificate goes into the configuration; trustd learns of it when it starts.
    TokenSecret PrepareControlPlane()
    {
        var node = plan.Nodes[0];
        if (record.Running(node) is { } running)
        {
            Say($"{node.Name} restarts, since your certificate for it is not good any more");
            running.StopAsync(TimeSpan.FromSeconds(15), invocation.Terminal.Time, invocation.Cancellation).GetAwaiter().GetResult();
        }
        var token = TokenSecret.Generate();
        var expires = DateTimeOffset.FromUnixTimeSeconds(invocation.Terminal.Time.GetUtcNow().ToUnixTimeSeconds()) + TimeSpan.FromHours(1);
        var configuration = ClusterDocuments.ControlPlane(plan.Name, node.Name, [BootstrapToken.ForClient(token, Admin, AdminRoles, expires)], ClusterDocuments.LocalNames(plan, node));
        ContextFile.WritePrivate(node.ConfigurationFile, configuration.ToYaml());
        return token;
    }

    async Task PrepareWorkerAsync(PlannedNode worker)
    {
        var request = new TokenCreateRequest { Lifetime = Duration.FromTimeSpan(TimeSpan.FromHours(1)), Uses = 1, Names = { worker.Name } };
        request.Addresses.AddRange(ClusterDocuments.LocalNetworks.Select(n => n.ToString()));
        using var connection = PeerConnection.ToTrustd(plan.Trustd, Credentials(), invocation.Terminal.Time);
        var answer = await invocation.RequireAsync(connection, (c, options) => c.Trust().TokenCreateAsync(request, options));
        if (!TokenSecret.TryParse(answer.Token, out var token)) throw new OsctlException("trustd made a token that is none", null, ExitCode.NodeFailed);
        var configuration = ClusterDocuments.Worker(plan.Name, worker.Name, [plan.TrustdFromNodes], [plan.ControlPlaneFromNodes], token, ClusterDocuments.LocalNames(plan, worker));
        ContextFile.WritePrivate(worker.ConfigurationFile, configuration.ToYaml());
        Say($"{worker.Name} gets a join token, good once and for one hour");
    }

    async Task StartAsync(PlannedNode node)
    {
        if (record.Running(node) is { } running)
        {
            Say($"{node.Name} runs already, as process {running.Id}");
            return;
        }
        await Task.Run(() => start(record, node), invocation.Cancellation);
        Say($"{node.Name} starts, as process {record.Running(node)?.Id}; its console is {node.ConsoleFile}");
    }

    async Task EnrolAdminAsync(TokenSecret token)
    {
        var person = await PatientlyAsync(plan.Nodes[0], "trustd answers", () => PersonalCertificate.WithTokenAsync(invocation, plan.Trustd, token, Admin, AdminRoles, null));
        invocation.File.Save(invocation.File.With(plan.Name, ConfigCommands.Carry(new ClientContext(), person), makeCurrent: true));
        Say($"your certificate: admin with os:admin, until {person.Leaf.NotAfter.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC; the key was made here");
    }

    // A cluster may have grown since its context was written.
    void RememberNodes()
    {
        var context = invocation.File.Content.Contexts[plan.Name];
        invocation.File.Save(invocation.File.With(plan.Name, context with
        {
            Endpoints = new SortedDictionary<string, Endpoint>(plan.Nodes.ToDictionary(n => n.Name, n => n.Api), StringComparer.Ordinal),
            Trustd = plan.Trustd,
            Nodes = context.Nodes.Count > 0 ? context.Nodes : [plan.Nodes[0].Name],
        }, makeCurrent: true));
    }

    async Task AnswersAsync(PlannedNode node)
    {
        var version = await PatientlyAsync(node, "answers", async () =>
        {
            using var connection = PeerConnection.ToNode(node.Api, Credentials(), invocation.Terminal.Time);
            return await invocation.RequireAsync(connection, (c, options) => c.Machine().VersionAsync(new VersionRequest(), options), node.Name);
        });
        Say($"{node.Name} answers: {version.Tag}, {version.Kernel}");
    }

    ClientCredentials Credentials() => ClientCredentials.From(invocation.File.Content.Contexts[plan.Name], plan.Name);

    // A node that comes up refuses connections first; what it says last is what explains a failure.
    async Task<T> PatientlyAsync<T>(PlannedNode node, string what, Func<Task<T>> attempt)
    {
        var time = invocation.Terminal.Time;
        var began = time.GetTimestamp();
        var (said, asked) = (TimeSpan.Zero, TimeSpan.Zero);
        while (true)
        {
            OsctlException failure;
            try
            {
                return await attempt();
            }
            catch (OsctlException e)
            {
                failure = e;
            }
            var waited = time.GetElapsedTime(began);
            if (record.Running(node) is null) throw Explain(node, $"{node.Name} ended before it {what}", failure);
            if (waited - asked > MaintenancePause)
            {
                asked = waited;
                if (await MaintenanceAsync(node) is { } reason)
                    throw new OsctlException($"{node.Name} is in maintenance: {reason}", $"its configuration is {node.ConfigurationFile}", ExitCode.NodeFailed);
            }
            if (waited > limit) throw Explain(node, $"{node.Name} did not answer within {DurationText.Format(limit)}", failure);
            if (waited - said > TimeSpan.FromSeconds(10))
            {
                said = waited;
                Say($"waiting until {node.Name} {what} …");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, invocation.Cancellation);
        }
    }

    async Task<string?> MaintenanceAsync(PlannedNode node)
    {
        using var connection = PeerConnection.Unverified(node.Api, invocation.Terminal.Time);
        var answer = await FanOut.AskAsync<VersionResponse>(invocation, new Target(node.Name, node.Api), connection, async (c, options) => await c.Machine().VersionAsync(new VersionRequest(), options), TimeSpan.FromSeconds(5));
        return answer.Value is { Stage: MachineStage.Maintenance } version ? version.MaintenanceReason : null;
    }

    OsctlException Explain(PlannedNode node, string message, OsctlException last)
    {
        foreach (var line in ConsoleFile.Tail(node.ConsoleFile, 12)) invocation.Terminal.Error.WriteLine($"  {node.Name} | {line}");
        return new OsctlException($"{message}; the last attempt: {last.Message}", last.Hint ?? $"its console is {node.ConsoleFile}", ExitCode.NodeFailed);
    }

    void PrintNext()
    {
        Say("ready");
        invocation.Output.WriteLine();
        invocation.Output.WriteLine("Type next:");
        invocation.Output.WriteLine("  osctl version");
        invocation.Output.WriteLine($"  osctl services -n {string.Join(',', plan.Nodes.Select(n => n.Name))}");
        invocation.Output.WriteLine("  osctl logs osd -f");
        invocation.Output.WriteLine("  osctl audit tail");
    }

    void Say(string what)
    {
        var elapsed = invocation.Terminal.Time.GetElapsedTime(_began);
        invocation.Output.WriteLine($"[{(int)elapsed.TotalSeconds,4} s] {what}");
        invocation.Output.Flush();
    }
}
