namespace Talos.Checks.Probes;

/// <summary>Every kind of fact that a rule can ask for.</summary>
static class ProbeTable
{
    const ScanTargets Everything = ScanTargets.Image | ScanTargets.Node | ScanTargets.KernelFiles;
    const ScanTargets Tree = ScanTargets.Image | ScanTargets.Node;
    const ScanTargets Node = ScanTargets.Node;

    static readonly Dictionary<string, ProbeDefinition> s_probes = Definitions().ToDictionary(p => p.Name, StringComparer.Ordinal);

    public static string Names => string.Join(", ", s_probes.Keys.Order(StringComparer.Ordinal));

    public static ProbeDefinition? Find(string name) => s_probes.GetValueOrDefault(name);

    static IEnumerable<ProbeDefinition> Definitions() =>
    [
        new("kconfig", 1, ValueShape.Text, Everything, KernelProbes.Kconfig, "kconfig OPTION is y"),
        new("cmdline", 1, ValueShape.Text, Everything, KernelProbes.CommandLine, "cmdline PARAMETER is VALUE"),
        new("sysctl", 1, ValueShape.Text, Everything, KernelProbes.Sysctl, "sysctl NAME is VALUE"),
        new("kernel", 1, ValueShape.Text, Everything, KernelProbes.Kernel, "kernel arch is X86_64", "arch", "compiler"),
        new("kernel-version", 0, ValueShape.Version, Everything, KernelProbes.Version, "kernel-version at-least 6.6.0"),
        new("file", 1, ValueShape.Presence, Tree, FileProbes.Exists, "file PATH absent"),
        new("mode", 1, ValueShape.Mode, Tree, FileProbes.Mode, "mode PATH at-most 0600"),
        new("owner", 1, ValueShape.Text, Tree, FileProbes.Owner, "owner PATH is 0:0"),
        new("owner-name", 1, ValueShape.Text, Tree, FileProbes.OwnerName, "owner-name PATH is etcd:etcd"),
        new("line", 2, ValueShape.Text, Tree, FileProbes.Line, "line PATH PATTERN is VALUE"),
        new("executable", 1, ValueShape.Presence, Tree, FileProbes.Executable, "executable NAME absent"),
        new("tree", 1, ValueShape.Items, Tree, TreeProbes.Read, "tree suid empty", TreeProbes.Names),
        new("account", 1, ValueShape.Items, Tree, AccountProbes.Read, "account login-shells empty", AccountProbes.Names),
        new("yaml", 2, ValueShape.Text, Tree, YamlProbes.Value, "yaml PATH KEY is VALUE"),
        new("flag", 2, ValueShape.Text, Tree, ProcessProbes.Flag, "flag PROGRAM --FLAG is VALUE"),
        new("config", 3, ValueShape.Text, Tree, ProcessProbes.Config, "config PROGRAM --FLAG KEY is VALUE"),
        new("cert", 2, ValueShape.Text, Tree, SecurityProbes.Certificate, "cert days-left PATH at-least 30", SecurityProbes.CertificateFacts),
        new("process", 1, ValueShape.Presence, Node, ProcessProbes.Running, "process PROGRAM absent"),
        new("status", 2, ValueShape.Text, Node, ProcessProbes.Status, "status PROGRAM Seccomp is 2"),
        new("mount", 1, ValueShape.Text, Node, MountProbes.Options, "mount POINT has nodev"),
        new("mount-type", 1, ValueShape.Text, Node, MountProbes.Type, "mount-type POINT is tmpfs"),
        new("mount-source", 1, ValueShape.Text, Node, MountProbes.Source, "mount-source POINT is DEVICE"),
        new("mounts", 1, ValueShape.Items, Node, MountProbes.Points, "mounts writable-suid empty",
            "writable-executable", "writable-suid", "writable-devices", "network", "removable"),
        new("listen", 1, ValueShape.Items, Node, NetworkProbes.Listening, "listen tcp-external within *:50000", NetworkProbes.Names),
        new("modules", 0, ValueShape.Items, Node, SecurityProbes.LoadedModules, "modules lacks cramfs"),
        new("lockdown", 0, ValueShape.Text, Node, SecurityProbes.Lockdown, "lockdown is confidentiality"),
        new("lsm", 0, ValueShape.Text, Node, SecurityProbes.ActiveModules, "lsm has lockdown"),
    ];
}
