using System.Diagnostics;

namespace Talos.Cluster.Provisioning;

/// <summary>
/// Whether this machine's KVM runs our kernel. A device that opens is no proof: on some machines every guest triple-faults. So the kernel is
/// booted without a root file system, which ends in a panic and, with <c>-no-reboot</c>, in QEMU's end; only its own words count.
/// </summary>
public static class KvmProbe
{
    const string LastWords = "Unable to mount root";

    // A kernel under KVM says its first words within a second, and its last within ten.
    static readonly TimeSpan Silence = TimeSpan.FromSeconds(5), Limit = TimeSpan.FromSeconds(20);

    /// <summary>`kvm` where it works, otherwise `tcg`.</summary>
    public static string Choose(string image)
    {
        if (!File.Exists("/dev/kvm")) return "tcg";
        var console = Path.GetTempFileName();
        try
        {
            using var qemu = Process.Start(new ProcessStartInfo("qemu-system-x86_64",
            [
                "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256", "-no-reboot",
                "-kernel", Path.Combine(image, "vmlinuz"), "-append", "console=ttyS0 panic=-1", "-serial", $"file:{console}",
            ])
            { RedirectStandardError = true, RedirectStandardOutput = true });
            if (qemu is null) return "tcg";
            if (!qemu.WaitForExit(Silence) && new FileInfo(console).Length > 0) qemu.WaitForExit(Limit);
            if (!qemu.HasExited) qemu.Kill();
            qemu.WaitForExit();
            return File.ReadAllText(console).Contains(LastWords, StringComparison.Ordinal) ? "kvm" : "tcg";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // Without QEMU the start of the node says what is missing.
            return "tcg";
        }
        finally
        {
            File.Delete(console);
        }
    }
}
