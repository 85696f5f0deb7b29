using System.CommandLine;
using Talos.Api.Configuration;
using Talos.Cluster;
using Talos.Osctl.Contexts;

namespace Talos.Osctl.Commands;

static class GenerateCommands
{
    static readonly Argument<string> Cluster = new("CLUSTER") { Description = "Name of the cluster, its trust domain" };

    static readonly Option<string> Folder = new("--output-dir") { Description = "Where the files go", HelpName = "FOLDER", DefaultValueFactory = _ => "." };

    static readonly Option<string> ControlPlane = new("--controlplane") { Description = "Address of the control plane, for the workers", HelpName = "HOST", Required = true };

    static readonly Option<string> Admin = new("--admin") { Description = "Who gets the first certificate", HelpName = "NAME", DefaultValueFactory = _ => "admin" };

    static readonly Option<uint> Workers = new("--workers") { Description = "How many workers may join with the generated token", HelpName = "N", DefaultValueFactory = _ => 1 };

    static readonly DurationOption Lifetime = new("--token-ttl", "How long the tokens are good", "24h");

    static readonly Option<bool> Force = new("--force") { Description = "Overwrite files that are there" };

    public static Verb Build() => new("gen", "Generate files")
    {
        OtherNames = ["generate"],
        Subcommands = { Config() },
    };

    static Verb Config() => new("config", "Write machine configurations and the token for the first certificate", "osctl gen config demo --controlplane 10.0.0.1", "osctl gen config prod --controlplane cp-1.example --workers 5 --output-dir ./prod")
    {
        Arguments = { Cluster },
        Options = { ControlPlane, Folder, Admin, Workers, Lifetime, Force },
        Run = Generate,
    };

    static Task<int> Generate(Invocation invocation)
    {
        if (!Endpoint.TryParse(invocation.Get(ControlPlane), 50001, out var trustd)) throw new OsctlException($"`{invocation.Get(ControlPlane)}` is no address", "a host name or an address");
        var expires = DateTimeOffset.FromUnixTimeSeconds((invocation.Terminal.Time.GetUtcNow() + invocation.Get(Lifetime)).ToUnixTimeSeconds());
        var (admin, join) = (TokenSecret.Generate(), TokenSecret.Generate());
        var workers = invocation.Get(Workers);
        var controlPlane = ClusterDocuments.ControlPlane(invocation.Get(Cluster), "cp-1",
            [
                BootstrapToken.ForClient(admin, invocation.Get(Admin), ["os:admin"], expires),
                BootstrapToken.ForNode(join, ["worker-*"], [], expires, Math.Max(1, workers)),
            ], [trustd.Host]);
        var worker = ClusterDocuments.Worker(invocation.Get(Cluster), "worker-1", [trustd], [trustd with { Port = 50000 }], join, []);
        var folder = invocation.Get(Folder);
        (string Name, string Text)[] files = [("controlplane.yaml", controlPlane.ToYaml()), ("worker.yaml", worker.ToYaml()), ($"{invocation.Get(Admin)}.token", admin.Reveal() + "\n")];
        foreach (var (name, text) in files)
        {
            var path = Path.Combine(folder, name);
            // What names and roles may be is decided by the reader that the machine uses.
            if (name.EndsWith(".yaml", StringComparison.Ordinal) && !MachineConfiguration.Parse(text, path).TryGet(out _, out var errors)) throw new OsctlException(errors);
            if (File.Exists(path) && !invocation.Get(Force)) throw new OsctlException($"`{path}` is there already", "`--force` overwrites it");
        }
        foreach (var (name, text) in files)
        {
            ContextFile.WritePrivate(Path.Combine(folder, name), text);
            invocation.Output.WriteLine($"wrote {Path.Combine(folder, name)}");
        }
        invocation.Output.WriteLine();
        invocation.Output.WriteLine($"Start the machines with these configurations (a worker needs a host name of its own), then type:");
        invocation.Output.WriteLine($"  osctl config new --name {invocation.Get(Admin)} --roles os:admin --token {Path.Combine(folder, invocation.Get(Admin) + ".token")} --trustd {trustd} --endpoint cp-1={trustd.Host}");
        return Task.FromResult(ExitCode.Done);
    }
}
