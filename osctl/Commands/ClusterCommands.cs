using System.CommandLine;
using System.Text.Json.Nodes;
using Talos.Cluster;
using Talos.Cluster.Provisioning;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static partial class ClusterCommands
{
    static readonly Option<string> Name = new("--name") { Description = "Name of the cluster", HelpName = "NAME", DefaultValueFactory = _ => "demo" };

    static readonly Option<string> State = new("--state") { Description = "Where everything of the cluster lies [~/.talos/clusters/NAME]", HelpName = "FOLDER" };

    static readonly Option<Provisioner> Kind = new("--provisioner")
    {
        Description = "What the nodes are: qemu (virtual machines that boot the image) or process [qemu]",
        HelpName = "KIND",
        CustomParser = result =>
        {
            if (result.Tokens[^1].Value == "qemu") return Provisioner.Qemu;
            if (result.Tokens[^1].Value != "process") result.AddError($"`{result.Tokens[^1].Value}` is no provisioner: use `qemu` or `process`");
            return Provisioner.Process;
        },
    };

    static readonly Option<int> Count = new("--nodes") { Description = "How many nodes: one control plane, the rest workers", HelpName = "N", DefaultValueFactory = _ => 1 };

    static readonly Option<int> FirstPort = new("--listen-base") { Description = "The control plane's port on this machine; trustd's is the next, workers' are ten apart", HelpName = "PORT", DefaultValueFactory = _ => 50000 };

    static readonly Option<int> Memory = new("--memory") { Description = "Memory of each virtual machine, in MiB", HelpName = "MIB", DefaultValueFactory = _ => QemuNodes.UsualMemory };

    static readonly Option<string> Image = new("--image") { Description = "Folder with vmlinuz, rootfs.img and cmdline", HelpName = "FOLDER", DefaultValueFactory = _ => Path.Combine("out", "image") };

    static readonly Option<string> Executables = new("--bin") { Description = "Folder with machined, osd and trustd [out/bin, or beside osctl]", HelpName = "FOLDER" };

    static readonly Option<string> Policy = new("--policy") { Description = "Folder of the policy bundle, for processes [policy/bundle, or beside osctl]", HelpName = "FOLDER" };

    static readonly DurationOption Limit = new("--wait-timeout", "How long a node may take to answer", "3m");

    static readonly Argument<string> Node = new("NODE") { Description = "Only this node", Arity = ArgumentArity.ZeroOrOne };

    static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what comes, until Ctrl-C" };

    public static Verb Build() => new("cluster", "Run clusters on this machine, to try and to test")
    {
        Subcommands = { Create(), Destroy(), Show(), Logs() },
    };

    static Verb Create() => new("create", "Start a cluster, or what of it does not run, and wait until it answers",
        "osctl cluster create", "osctl cluster create --nodes 2 --memory 1024", "osctl cluster create --provisioner process --nodes 2 --name try")
    {
        Options = { Name, State, Kind, Count, FirstPort, Memory, Image, Executables, Policy, Limit },
        Run = CreateAsync,
    };

    static Verb Destroy() => new("destroy", "Stop a cluster's own processes, and remove its folder and its context", "osctl cluster destroy", "osctl cluster destroy --name try")
    {
        Options = { Name, State },
        Run = async invocation =>
        {
            var folder = Folder(invocation);
            if (Load(folder) is not { } record)
            {
                invocation.Output.WriteLine($"there is no cluster in `{folder}`");
                return ExitCode.Done;
            }
            await record.StopAsync(invocation.Terminal.Time, invocation.Cancellation);
            record.Remove();
            if (invocation.File.Content.Contexts.ContainsKey(record.Plan.Name)) invocation.File.Save(invocation.File.Without(record.Plan.Name));
            foreach (var node in record.Plan.Nodes) Records.SeenRecord.Of(invocation, record.Plan.Name, node.Name).Forget();
            invocation.Output.WriteLine($"cluster `{record.Plan.Name}` is stopped and removed");
            return ExitCode.Done;
        },
    };

    static Verb Show() => new("show", "Show the nodes of a cluster on this machine", "osctl cluster show", "osctl cluster show -o json")
    {
        Options = { Name, State },
        Run = invocation =>
        {
            var record = Require(invocation);
            if (invocation.IsTree)
            {
                TreeWriter.Write(invocation.Output, new JsonArray([.. record.Plan.Nodes.Select(n => (JsonNode)new JsonObject
                {
                    ["node"] = n.Name,
                    ["type"] = Text.Word(n.Type).ToLowerInvariant(),
                    ["provisioner"] = Text.Word(record.Plan.Provisioner).ToLowerInvariant(),
                    ["running"] = record.Running(n) is not null,
                    ["pid"] = record.Running(n)?.Id ?? 0,
                    ["api"] = n.Api.ToString(),
                    ["console"] = n.ConsoleFile,
                })]), invocation.Format);
                return Task.FromResult(ExitCode.Done);
            }
            var table = invocation.Table("NODE", "TYPE", "PROVISIONER", "STATE", "PID", "API", "CONSOLE");
            foreach (var n in record.Plan.Nodes)
            {
                var process = record.Running(n);
                table.Add(n.Name, Text.Word(n.Type).ToLowerInvariant(), Text.Word(record.Plan.Provisioner).ToLowerInvariant(), process is null ? "stopped" : "running", process is null ? "" : Text.Number(process.Id), n.Api.ToString(), n.ConsoleFile);
            }
            table.Write(invocation.Output);
            return Task.FromResult(ExitCode.Done);
        },
    };

    static Verb Logs() => new("logs", "Show the consoles of a cluster's nodes", "osctl cluster logs", "osctl cluster logs worker-1 -f")
    {
        Arguments = { Node },
        Options = { Name, State, Follow },
        Run = async invocation =>
        {
            var record = Require(invocation);
            var wanted = invocation.Get(Node);
            var nodes = record.Plan.Nodes.Where(n => wanted.Length == 0 || n.Name == wanted).ToArray();
            if (nodes.Length == 0) throw new OsctlException($"there is no node `{wanted}` in cluster `{record.Plan.Name}`", $"its nodes are {string.Join(", ", record.Plan.Nodes.Select(n => $"`{n.Name}`"))}");
            await Task.WhenAll(nodes.Select(n => ConsoleFile.PrintAsync(invocation, n.ConsoleFile, nodes.Length > 1 ? n.Name + "   " : "", invocation.Get(Follow))));
            return ExitCode.Done;
        },
    };

    static ClusterRecord Require(Invocation invocation) => Load(Folder(invocation)) ?? throw new OsctlException($"there is no cluster in `{Folder(invocation)}`", "`osctl cluster create` starts one");

    static ClusterRecord? Load(string folder) => Guarded(() => ClusterRecord.TryLoad(folder));

    static string Folder(Invocation invocation)
    {
        if (invocation.Get(State) is { Length: > 0 } given) return Path.GetFullPath(given);
        var home = invocation.Terminal.Environment("HOME") is { Length: > 0 } set ? set : throw new OsctlException("HOME is not set", "give `--state FOLDER`");
        return Path.Combine(home, ".talos", "clusters", invocation.Get(Name));
    }

    static T Guarded<T>(Func<T> run)
    {
        try
        {
            return run();
        }
        catch (ClusterException e)
        {
            throw new OsctlException(e.Message, e.Hint);
        }
    }
}
