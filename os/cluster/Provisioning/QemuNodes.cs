using Talos.Api.Machine.V1;

namespace Talos.Cluster.Provisioning;

/// <summary>Nodes as virtual machines that boot the image: verified root on the first disk, state on the second.</summary>
/// <param name="image">Folder with vmlinuz, rootfs.img and cmdline.</param>
/// <param name="accelerator">`tcg` or `kvm`; see <see cref="KvmProbe"/>.</param>
/// <param name="memoryMegabytes">Of each node.</param>
public sealed class QemuNodes(string image, string accelerator, int memoryMegabytes = QemuNodes.UsualMemory)
{
    /// <summary>Megabytes. A node without workloads uses about 110; the kernel clears all of it at boot, which emulation is slow at.</summary>
    public const int UsualMemory = 384;

    const string Program = "qemu-system-x86_64";

    // Without the board's disk controller, whose six empty ports the kernel would wait for.
    const string Board = "q35,sata=off";

    // What QEMU emulates worse than its absence: it clears and copies byte by byte where a processor promises to be fast at that, and calls a
    // function for each vector instruction.
    const string EmulatedProcessor = "max,-erms,-fsrm,-avx,-avx2";

    // Sparse; what a node keeps are keys, the ledger and the audit log.
    const string StateSize = "512M";

    /// <summary>The image's files, or the name of the first that is missing.</summary>
    public static string? Missing(string image) =>
        ((string[])["vmlinuz", "rootfs.img", "cmdline"]).FirstOrDefault(name => !File.Exists(Path.Combine(image, name)));

    /// <summary>Starts a node whose configuration lies in its folder, unless it runs.</summary>
    /// <exception cref="ClusterException">The image or a program is missing.</exception>
    public void Start(ClusterRecord record, PlannedNode node, QemuOverrides? overrides = null)
    {
        if (record.Running(node) is not null) return;
        if (Missing(image) is { } missing) throw new ClusterException($"there is no `{missing}` in `{image}`", "`make image` builds it");
        Directory.CreateDirectory(node.Folder);
        var state = Path.Combine(node.Folder, "state.img");
        if (!File.Exists(state)) MakeStateDisk(state);
        record.Started(node, Launcher.Start(node.ConsoleFile, Program, Arguments(node, state, overrides ?? new QemuOverrides())));
    }

    static void MakeStateDisk(string path)
    {
        Launcher.Run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "STATE", "-E", "root_owner=0:0", path + ".new", StateSize);
        File.Move(path + ".new", path);
    }

    List<string> Arguments(PlannedNode node, string state, QemuOverrides overrides)
    {
        var forwards = $"hostfwd=tcp:{node.Api}-{overrides.GuestAddress}:50000";
        if (node.Trustd is not null) forwards += $",hostfwd=tcp:{node.Trustd}-{overrides.GuestAddress}:50001";
        List<string> arguments =
        [
            "-name", node.Name, "-nodefaults", "-no-user-config", "-display", "none", "-smp", "2", "-m", $"{memoryMegabytes}",
            "-kernel", Path.Combine(image, "vmlinuz"), "-append", CommandLine() + (overrides.Medium == ConfigurationMedium.KernelArgument ? Argument(node) : ""),
            "-drive", $"file={Escape(overrides.RootDisk ?? Path.Combine(image, "rootfs.img"))},format=raw,if=none,id=root,readonly=on", "-device", "virtio-blk-pci,drive=root",
            "-drive", $"file={Escape(state)},format=raw,if=none,id=state", "-device", "virtio-blk-pci,drive=state",
            "-netdev", $"user,id=net,{forwards}", "-device", "virtio-net-pci,netdev=net",
            "-device", "virtio-rng-pci",
            "-chardev", $"file,id=console,path={Escape(node.ConsoleFile)},append=on", "-serial", "chardev:console",
            "-qmp", $"unix:{Path.Combine(node.Folder, "qmp.sock")},server=on,wait=off",
        ];
        // memfd: small pages. QEMU asks for huge ones otherwise; an emulated processor gains nothing by them, and where this machine is virtual itself
        // it has given its free ones back: to get them again took one second of every boot.
        arguments.AddRange(accelerator == "kvm"
            ? ["-machine", Board, "-accel", accelerator, "-cpu", "host"]
            : ["-machine", $"{Board},memory-backend=ram", "-object", $"memory-backend-memfd,id=ram,size={memoryMegabytes}M", "-accel", accelerator, "-cpu", EmulatedProcessor]);
        if (overrides.Medium == ConfigurationMedium.Firmware) arguments.AddRange(["-fw_cfg", $"name=opt/talos/config,file={Escape(node.ConfigurationFile)}"]);
        if (overrides.Medium == ConfigurationMedium.Disk)
            arguments.AddRange(["-drive", $"file={Escape(MakeConfigurationDisk(node))},format=raw,if=none,id=config,readonly=on", "-device", "virtio-blk-pci,drive=config"]);
        if (overrides.StopAtReset) arguments.Add("-no-reboot");
        return arguments;
    }

    static string Argument(PlannedNode node) => $" talos.config=base64:{Convert.ToBase64String(File.ReadAllBytes(node.ConfigurationFile))}";

    static string MakeConfigurationDisk(PlannedNode node)
    {
        var content = Directory.CreateDirectory(Path.Combine(node.Folder, "config")).FullName;
        File.Copy(node.ConfigurationFile, Path.Combine(content, "machine.yaml"), overwrite: true);
        var path = Path.Combine(node.Folder, "config.img");
        Launcher.Run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "TALOSCFG", "-d", content, path, "4M");
        return path;
    }

    // NOTE: QEMU 7's emulation of cmpxchg16b faults at random early in boot; a kernel that does not see the instruction does not use it.
    string CommandLine()
    {
        var text = File.ReadAllText(Path.Combine(image, "cmdline")).Trim();
        return accelerator == "tcg" ? text + " clearcpuid=cx16" : text;
    }

    // QEMU's option syntax: a comma in a value is doubled.
    static string Escape(string path) => path.Replace(",", ",,");
}

/// <summary>How a virtual machine is given its configuration.</summary>
public enum ConfigurationMedium
{
    /// <summary>QEMU's firmware device, which no other program on the machine sees.</summary>
    Firmware = 0,

    /// <summary>A disk labelled TALOSCFG with the file `machine.yaml`.</summary>
    Disk,

    /// <summary>The kernel's argument `talos.config`.</summary>
    KernelArgument,
}

/// <summary>How a virtual machine differs from the usual one; for trying what is rare, or must not work.</summary>
/// <param name="RootDisk">In place of the image's rootfs.img.</param>
/// <param name="StopAtReset">The machine ends where it would restart.</param>
/// <param name="Medium">Where it finds its configuration.</param>
/// <param name="GuestAddress">The machine's own address, when it does not ask DHCP for one.</param>
public sealed record QemuOverrides(
    string? RootDisk = null, bool StopAtReset = false, ConfigurationMedium Medium = ConfigurationMedium.Firmware, string GuestAddress = "");
