namespace Talos.Checks.Probes;

/// <summary>Every kind of fact that a rule can ask for.</summary>
static partial class ProbeTable
{
    const ScanTargets Everything = ScanTargets.Image | ScanTargets.Node | ScanTargets.KernelFiles;

    static readonly Dictionary<string, ProbeDefinition> s_probes = Definitions().ToDictionary(p => p.Name, StringComparer.Ordinal);

    public static string Names => string.Join(", ", s_probes.Keys.Order(StringComparer.Ordinal));

    public static IEnumerable<ProbeDefinition> All => s_probes.Values;

    public static ProbeDefinition? Find(string name) => s_probes.GetValueOrDefault(name);

    static IEnumerable<ProbeDefinition> Definitions() => [.. KernelFacts()];

    static IEnumerable<ProbeDefinition> KernelFacts() =>
    [
        new("kconfig", 1, ValueShape.Text, Everything, KernelProbes.Kconfig, "kconfig OPTION is y"),
        new("cmdline", 1, ValueShape.Text, Everything, KernelProbes.CommandLine, "cmdline PARAMETER is VALUE"),
        new("sysctl", 1, ValueShape.Text, Everything, KernelProbes.Sysctl, "sysctl NAME is VALUE"),
        new("kernel", 1, ValueShape.Text, Everything, KernelProbes.Kernel, "kernel arch is X86_64", "arch", "compiler"),
        new("kernel-version", 0, ValueShape.Version, Everything, KernelProbes.Version, "kernel-version at-least 6.6.0"),
    ];
}
