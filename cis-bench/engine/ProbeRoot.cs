namespace Talos.Checks;

/// <summary>
/// Files of a kernel on the machine that runs the scan (not under the scanned root). What is left out is looked for under the root.
/// </summary>
/// <param name="Kconfig">A `.config`, as text or gzip.</param>
/// <param name="CommandLine">A file of one line, as /proc/cmdline.</param>
/// <param name="Sysctl">A listing as `sysctl -a` prints, or a file in the form of sysctl.conf.</param>
/// <param name="Version">A file like /proc/version; without it the release is taken from the configuration's heading.</param>
public sealed record KernelFiles(string? Kconfig = null, string? CommandLine = null, string? Sysctl = null, string? Version = null);

/// <summary>
/// What a scan looks at. Probes read below <see cref="Path"/> only: symbolic links inside an unpacked tree are followed within the tree.
/// Nothing is ever written.
/// </summary>
public sealed class ProbeRoot
{
    ProbeRoot(string? path, ScanTargets target, KernelFiles kernel)
    {
        Path = path is null ? null : System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        Target = target;
        Kernel = kernel;
    }

    /// <summary>The directory that stands for `/`; null when only kernel files are looked at.</summary>
    public string? Path { get; }

    public ScanTargets Target { get; }

    public KernelFiles Kernel { get; }

    /// <summary>A running machine. A path other than `/` is for a machine whose root is mounted elsewhere, with its /proc and /sys.</summary>
    public static ProbeRoot Node(string path = "/", KernelFiles? kernel = null) => new(path, ScanTargets.Node, kernel ?? new());

    /// <summary>An unpacked root tree, with the files of the kernel that will run it.</summary>
    public static ProbeRoot Image(string path, KernelFiles kernel) => new(path, ScanTargets.Image, kernel);

    /// <summary>Kernel files of any Linux machine, with no tree.</summary>
    public static ProbeRoot Files(KernelFiles kernel) => new(null, ScanTargets.KernelFiles, kernel);

    /// <summary>What reports call the target.</summary>
    public string Name => Path ?? Kernel.Kconfig ?? Kernel.Sysctl ?? "kernel files";
}
