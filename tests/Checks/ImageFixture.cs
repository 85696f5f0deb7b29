using System.Diagnostics;

namespace Talos.Checks.Tests;

/// <summary>A small root tree on disk that passes every check of the image; tests break it.</summary>
sealed class ImageFixture : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("talos-checks-").FullName;

    public ImageFixture()
    {
        Root = Path.Combine(_folder, "root");
        Folder("/", 0x1ed);
        foreach (var directory in (string[])["/sbin", "/etc", "/proc", "/sys", "/dev", "/state", "/run"]) Folder(directory, 0x1ed);
        Folder("/root", 0x1c0);
        foreach (var program in (string[])["init", "machined", "osd", "trustd"]) Write($"/sbin/{program}", new ElfSample().ToBytes(), 0x1ed);
        Write("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\nosd:x:50:50::/:/sbin/nologin\n");
        Write("/etc/group", "root:x:0:\nosd:x:50:\n");
        Kernel("CONFIG_X86_64=y\nCONFIG_DM_VERITY=y\nCONFIG_DM_INIT=y\n# CONFIG_MODULES is not set\n", "console=ttyS0 panic=-1\n");
    }

    public string Root { get; }

    public KernelFiles KernelFiles => new(Path.Combine(_folder, "config"), Path.Combine(_folder, "cmdline"), Path.Combine(_folder, "sysctl"));

    public ProbeRoot Image => ProbeRoot.Image(Root, KernelFiles);

    public ProbeRoot Node => ProbeRoot.Node(Root, KernelFiles);

    public string Host(string path) => path == "/" ? Root : Root + path;

    public void Kernel(string config, string commandLine, string sysctls = "kernel.sysrq = 0\n", string release = "6.12.48")
    {
        File.WriteAllText(Path.Combine(_folder, "config"), $"# Linux/x86 {release} Kernel Configuration\n{config}");
        File.WriteAllText(Path.Combine(_folder, "cmdline"), commandLine);
        File.WriteAllText(Path.Combine(_folder, "sysctl"), sysctls);
    }

    public void Folder(string path, int mode)
    {
        Directory.CreateDirectory(Host(path));
        Mode(path, mode);
    }

    public void Write(string path, string text, int mode = 0x1a4) => Write(path, System.Text.Encoding.UTF8.GetBytes(text), mode);

    public void Write(string path, byte[] content, int mode)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Host(path))!);
        File.WriteAllBytes(Host(path), content);
        Mode(path, mode);
    }

    public void Mode(string path, int mode) => File.SetUnixFileMode(Host(path), (UnixFileMode)mode);

    public void Link(string path, string target) => File.CreateSymbolicLink(Host(path), target);

    public void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments))!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed");
    }

    public void Dispose() => Directory.Delete(_folder, true);
}
