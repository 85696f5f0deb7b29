using Talos.Checks;
using Talos.CisBench;
using Xunit;

namespace Talos.Checks.Tests;

/// <summary>An image is broken on purpose, one check at a time, and the gate has to stop it for exactly that reason.</summary>
public sealed class ImageGateTests : IDisposable
{
    static readonly DateOnly Today = new(2026, 11, 22);

    static readonly Dictionary<string, Action<ImageFixture>> Breaks = new()
    {
        ["image.programs.interpreters"] = i => i.Write("/sbin/tool", new ElfSample { Content = "BusyBox is a multi-call binary that" }.ToBytes(), 0x1ed),
        ["image.programs.scripts"] = i => i.Write("/sbin/tool", "#!/sbin/osd\n", 0x1ed),
        ["image.programs.loader"] = i => i.Write("/sbin/tool", new ElfSample { Interpreter = true }.ToBytes(), 0x1ed),
        ["image.programs.libraries"] = i => i.Write("/sbin/tool", new ElfSample { NeedsLibrary = true }.ToBytes(), 0x1ed),
        ["image.programs.objects"] = i => i.Write("/sbin/tool.o", new ElfSample { Type = 1 }.ToBytes(), 0x1a4),
        ["image.programs.modules"] = i => i.Write("/opt/evil.ko.xz", "x"),
        ["image.programs.packages"] = i => i.Link("/sbin/apk", "osd"),
        ["image.programs.compilers"] = i => i.Write("/sbin/strace", new ElfSample().ToBytes(), 0x1ed),
        ["image.programs.remote"] = i => i.Write("/sbin/sshd", new ElfSample().ToBytes(), 0x1ed),
        ["image.permissions.suid"] = i => i.Mode("/sbin/osd", 0x9ed),
        ["image.permissions.capabilities"] = i => i.Run("setfattr", "-n", "security.capability", "-v", "0x0100000200040000000000000000000000000000", i.Host("/sbin/osd")),
        ["image.permissions.world-writable"] = i => i.Mode("/state", 0x1ff),
        ["image.permissions.group-writable"] = i => i.Mode("/etc/group", 0x1b4),
        ["image.permissions.owner"] = i => i.Run("chown", "50:50", i.Host("/etc/group")),
        ["image.permissions.devices"] = i => i.Run("mknod", i.Host("/dev/mem"), "c", "1", "1"),
        ["image.permissions.special"] = i => i.Run("mkfifo", i.Host("/run/pipe")),
        ["image.permissions.names"] = i => i.Write("/etc/.hidden", "x"),
        ["image.permissions.keys"] = i => i.Write("/etc/ca.key", "x"),
        ["image.permissions.root"] = i => i.Mode("/etc", 0x1fd),
        ["image.permissions.private"] = i => i.Mode("/root", 0x1ed),
        ["image.hardening.pie"] = i => i.Write("/sbin/tool", new ElfSample { Type = 2 }.ToBytes(), 0x1ed),
        ["image.hardening.relro"] = i => i.Write("/sbin/tool", new ElfSample { Relro = false }.ToBytes(), 0x1ed),
        ["image.hardening.now"] = i => i.Write("/sbin/tool", new ElfSample { NeedsLibrary = true, BindNow = false }.ToBytes(), 0x1ed),
        ["image.hardening.stack"] = i => i.Write("/sbin/tool", new ElfSample { StackHeader = false }.ToBytes(), 0x1ed),
        ["image.hardening.wx"] = i => i.Write("/sbin/tool", new ElfSample { WritableCode = true }.ToBytes(), 0x1ed),
        ["image.hardening.path"] = i => i.Write("/sbin/tool", new ElfSample { RunPath = true }.ToBytes(), 0x1ed),
        ["image.hardening.canary"] = i => i.Write("/sbin/tool", new ElfSample { Canary = false }.ToBytes(), 0x1ed),
        ["image.accounts.shells"] = i => i.Write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        ["image.accounts.uid0"] = i => i.Write("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\ntoor:x:0:0::/:/sbin/nologin\n"),
        ["image.accounts.passwords"] = i => i.Write("/etc/shadow", "root:$6$salt$hash:19000:0:99999:7:::\n"),
        ["image.accounts.unique"] = i => i.Write("/etc/group", "root:x:0:\nosd:x:50:\nwheel:x:0:\n"),
        ["image.accounts.ssh"] = i => i.Write("/root/.ssh/authorized_keys", "ssh-ed25519 AAAA"),
        ["image.configuration.preload"] = i => i.Write("/etc/ld.so.preload", "/lib/evil.so\n"),
        ["image.configuration.cron"] = i => i.Write("/etc/cron.d/job", "* * * * * root x\n"),
        ["image.configuration.units"] = i => i.Write("/usr/lib/systemd/system/x.service", "[Service]\n"),
        ["image.configuration.privilege"] = i => i.Write("/etc/sudoers", "ALL\n"),
        ["image.configuration.trust"] = i => i.Write("/etc/hosts.equiv", "+\n"),
        ["image.boot.verity"] = i => i.Kernel("CONFIG_X86_64=y\n", "panic=-1\n"),
        ["image.boot.modules"] = i => i.Kernel("CONFIG_X86_64=y\nCONFIG_MODULES=y\n", "panic=-1\n"),
        ["image.boot.init"] = i => i.Kernel("CONFIG_X86_64=y\n", "panic=-1 init=/bin/sh\n"),
        ["image.boot.read-only"] = i => i.Kernel("CONFIG_X86_64=y\n", "panic=-1 rw\n"),
        ["image.boot.panic"] = i => i.Kernel("CONFIG_X86_64=y\n", "panic=0\n"),
    };

    readonly ImageFixture _image = new();

    public static TheoryData<string> Ids() => [.. Breaks.Keys];

    public void Dispose() => _image.Dispose();

    [Fact]
    public void Accepts_an_image_that_keeps_every_promise()
    {
        var result = Judge(Waivers.None);
        Assert.Empty(result.Stopping.Select(f => $"{f.Result.Check.Id}: {f.Sentence}"));
        Assert.NotNull(result.Pass);
    }

    [Fact]
    public void Accepts_no_check_that_nothing_breaks() =>
        Assert.Equal(CisCatalogues.Image.Checks.Select(c => c.Id).Order(), Breaks.Keys.Order());

    [Theory]
    [MemberData(nameof(Ids))]
    public void Rejects_an_image_that_breaks_one_promise(string id)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("SKIPPED LOUDLY: making devices and owners needs root");
        Breaks[id](_image);
        var result = Judge(Waivers.None);
        Assert.Null(result.Pass);
        var finding = Assert.Single(result.Stopping, f => f.Result.Check.Id == id);
        Assert.Equal(Verdict.Fail, finding.Result.Verdict);
        Assert.NotEmpty(finding.Result.Evidence!.Facts());
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("sh")]
    [InlineData("python3.13")]
    [InlineData("perl")]
    [InlineData("busybox")]
    public void Rejects_an_interpreter_by_its_name(string name)
    {
        _image.Link($"/sbin/{name}", "osd");
        Assert.Contains("image.programs.interpreters", Judge(Waivers.None).Stopping.Select(f => f.Result.Check.Id));
    }

    [Fact]
    public void Rejects_what_cannot_be_read()
    {
        var broken = new ElfSample().ToBytes();
        broken[56] = broken[57] = 0xff;
        _image.Write("/sbin/tool", broken, 0x1ed);
        File.Delete(_image.KernelFiles.CommandLine!);
        _image.Write("/etc/passwd", "root:x\n");
        File.Delete(_image.Host("/etc/hosts.equiv"));
        _image.Link("/etc/hosts.equiv", "hosts.equiv");
        var result = Judge(Waivers.None);
        Assert.Null(result.Pass);
        var unknown = result.Stopping.Where(f => f.Result.Verdict == Verdict.Unknown).Select(f => f.Result.Check.Id).ToArray();
        Assert.Contains("image.programs.interpreters", unknown);
        Assert.Contains("image.boot.init", unknown);
        Assert.Contains("image.accounts.shells", unknown);
        Assert.Contains("image.configuration.trust", unknown);
    }

    [Fact]
    public void Rejects_a_report_without_checks()
    {
        var report = ComplianceScan.Run([CisCatalogues.Image], _image.Image, TimeProvider.System, new(Selected: _ => false));
        Assert.Null(Gate.Judge(report, Waivers.None, Today).Pass);
    }

    [Fact]
    public void Survives_links_that_leave_the_tree()
    {
        File.Delete(_image.Host("/etc/passwd"));
        // An absolute link is the image's own path, not this machine's.
        _image.Link("/etc/passwd", "/../../etc/passwd-of-image");
        _image.Write("/etc/passwd-of-image", "root:x:0:0:root:/root:/bin/rescue\n");
        var finding = Assert.Single(Judge(Waivers.None).Stopping, f => f.Result.Check.Id == "image.accounts.shells");
        Assert.Contains("root", finding.Sentence);
    }

    GateResult Judge(Waivers waivers) => Gate.Judge(ComplianceScan.Run([CisCatalogues.Image], _image.Image, TimeProvider.System), waivers, Today);
}
