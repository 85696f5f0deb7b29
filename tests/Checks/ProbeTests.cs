using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using Talos.Checks;
using Xunit;

namespace Talos.Checks.Tests;

/// <summary>Each probe against files as a system has them: what is there, what is not, and what cannot be understood.</summary>
public sealed class ProbeTests : IDisposable
{
    readonly ImageFixture _node = new();

    public ProbeTests()
    {
        _node.Write("/proc/1/cmdline", "/sbin/init\0");
        _node.Write("/proc/1/status", "Name:\tinit\nUid:\t0\t0\t0\t0\nSeccomp:\t0\n");
        _node.Write("/proc/50/cmdline", "/sbin/osd\0--config\0/run/talos/osd.yaml\0");
        _node.Write("/proc/50/status", "Name:\tosd\nUid:\t50\t50\t50\t50\nNoNewPrivs:\t1\nSeccomp:\t2\nCapEff:\t0000000000000000\n");
        _node.Write("/proc/60/cmdline", "/usr/bin/kubelet\0--config=/var/lib/kubelet/config.yaml\0--read-only-port=0\0--rotate-certificates\0");
        _node.Write("/proc/60/status", "Name:\tkubelet\n");
        _node.Write("/proc/2/cmdline", "");
        _node.Write("/proc/self/mountinfo", """
            20 1 254:0 / / ro,relatime - squashfs /dev/dm-0 ro
            21 20 0:20 / /proc rw,nosuid,nodev,noexec - proc proc rw
            22 20 0:21 / /tmp rw,nosuid,nodev,noexec shared:1 master:2 - tmpfs tmpfs rw,size=65536k
            23 20 0:22 / /with\040blank rw,relatime - tmpfs tmpfs rw

            """);
        _node.Write("/proc/net/tcp", "  sl  local_address rem_address   st\n   0: 00000000:C350 00000000:0000 0A 0\n   1: 0100007F:2801 00000000:0000 0A 0\n   2: 0100007F:9999 0100007F:C350 01 0\n");
        _node.Write("/proc/net/tcp6", "  sl  local_address\n   0: 00000000000000000000000000000000:192B 00000000000000000000000000000000:0000 0A 0\n   1: 0000000000000000FFFF00000100007F:0016 00000000000000000000000000000000:0000 0A 0\n");
        _node.Write("/proc/net/udp", "  sl  local_address\n   0: 00000000:0044 00000000:0000 07 0\n");
        _node.Write("/proc/modules", "nf_tables 1 0 - Live 0x0\n");
        _node.Write("/proc/sys/net/ipv4/conf/eth0.100/rp_filter", "1\n");
        _node.Write("/proc/sys/kernel/arch", "x86_64\n");
        _node.Write("/sys/kernel/security/lsm", "capability,landlock,yama,lockdown");
        _node.Write("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
        _node.Write("/var/lib/kubelet/config.yaml", "apiVersion: v1\nauthentication:\n  anonymous:\n    enabled: false\nclusterDNS: [10.0.0.1, 10.0.0.2]\npodPidsLimit: null\n");
        _node.Write("/etc/kubernetes/manifests/kube-apiserver.yaml", "spec:\n  containers:\n  - name: a\n    command: [kube-apiserver, --profiling=false, --encryption-provider-config=/etc/kubernetes/enc.yaml]\n    args: [--audit-log-maxage, '30']\n");
        _node.Write("/etc/kubernetes/enc.yaml", "resources:\n  - resources: [secrets]\n    providers:\n      - secretbox: {keys: []}\n      - identity: {}\n");
        _node.Write("/etc/hostname", "one\ntwo=2\n");
    }

    public void Dispose() => _node.Dispose();

    [Theory]
    [InlineData("process osd present", Verdict.Pass)]
    [InlineData("process sshd absent", Verdict.Pass)]
    [InlineData("process osd absent", Verdict.Fail)]
    [InlineData("status osd Uid matches \"^50 \"", Verdict.Pass)]
    [InlineData("status osd Seccomp is 2", Verdict.Pass)]
    [InlineData("status init Seccomp is 2", Verdict.Fail)]
    [InlineData("status osd Missing is 2", Verdict.Unknown)]
    [InlineData("flag kubelet --read-only-port is 0", Verdict.Pass)]
    [InlineData("flag kubelet --rotate-certificates is-true", Verdict.Pass)]
    [InlineData("flag kubelet --anonymous-auth absent", Verdict.Pass)]
    [InlineData("flag kube-apiserver --profiling is-false", Verdict.Pass)]
    [InlineData("flag kube-apiserver --audit-log-maxage at-least 30", Verdict.Pass)]
    [InlineData("flag kube-scheduler --profiling is-false", Verdict.Unknown)]
    [InlineData("config kubelet --anonymous-auth authentication.anonymous.enabled is-false", Verdict.Pass)]
    [InlineData("config kubelet --cluster-dns clusterDNS has 10.0.0.2", Verdict.Pass)]
    [InlineData("config kubelet --pod-max-pids podPidsLimit present", Verdict.Fail)]
    [InlineData("config kube-proxy --x y present", Verdict.Unknown)]
    [InlineData("yaml @kube-apiserver:--encryption-provider-config resources.providers is secretbox,identity", Verdict.Pass)]
    [InlineData("mode @kube-apiserver:--encryption-provider-config at-most 0644", Verdict.Pass)]
    [InlineData("mode @kube-apiserver:--nothing at-most 0644", Verdict.Fail)]
    [InlineData("mode @kube-apiserver:--profiling at-most 0644", Verdict.Unknown)]
    [InlineData("yaml /etc/absent key is x", Verdict.Fail)]
    [InlineData("mount / has ro", Verdict.Pass)]
    [InlineData("mount /tmp has noexec", Verdict.Pass)]
    [InlineData("mount-type /tmp is tmpfs", Verdict.Pass)]
    [InlineData("mount-source / is /dev/dm-0", Verdict.Pass)]
    [InlineData("mount \"/with blank\" lacks nodev", Verdict.Pass)]
    [InlineData("mount /home present", Verdict.Fail)]
    [InlineData("mounts writable-suid within \"/with blank\"", Verdict.Pass)]
    [InlineData("mounts writable-devices empty", Verdict.Fail)]
    [InlineData("listen tcp-external within 0.0.0.0:50000,[::]:6443", Verdict.Pass)]
    [InlineData("listen tcp has 127.0.0.1:10241", Verdict.Pass)]
    [InlineData("listen tcp lacks *:39321", Verdict.Pass)]
    [InlineData("listen external-ports within tcp/50000,tcp/6443,udp/68", Verdict.Pass)]
    [InlineData("listen tcp-external lacks *:50000", Verdict.Fail)]
    [InlineData("modules within nf_tables", Verdict.Pass)]
    [InlineData("modules empty", Verdict.Fail)]
    [InlineData("lsm has yama", Verdict.Pass)]
    [InlineData("lsm has selinux", Verdict.Fail)]
    [InlineData("lockdown is confidentiality", Verdict.Pass)]
    [InlineData("lockdown is none", Verdict.Fail)]
    [InlineData("line /etc/hostname ^two=([0-9]+)$ is 2", Verdict.Pass)]
    [InlineData("line /etc/hostname ^three absent", Verdict.Pass)]
    [InlineData("mode /etc/*name at-most 0644", Verdict.Pass)]
    [InlineData("mode /etc/hostname is 0600", Verdict.Fail)]
    [InlineData("owner-name /etc/hostname is root:root", Verdict.Pass)]
    [InlineData("executable init present", Verdict.Pass)]
    [InlineData("executable sh absent", Verdict.Pass)]
    [InlineData("kernel arch is X86_64", Verdict.Pass)]
    [InlineData("kernel-version at-least 6.12.48", Verdict.Pass)]
    [InlineData("kernel-version at-least 6.12.49", Verdict.Fail)]
    public void Accepts_what_a_node_shows(string rule, Verdict verdict) => Assert.Equal(verdict, Evaluate(rule, _node.Node).Verdict);

    [Theory]
    [InlineData("/proc/self/mountinfo", "20 1 254:0 broken\n", "mount / has ro")]
    [InlineData("/proc/net/tcp", "x\n 0: ZZZZZZZZ:0016 0 0A\n", "listen tcp empty")]
    [InlineData("/var/lib/kubelet/config.yaml", "a: [\n", "config kubelet --x a.b is 1")]
    [InlineData("/etc/kubernetes/manifests/kube-apiserver.yaml", "a: &x 1\nb: *x\n", "flag kube-controller-manager --x is 1")]
    [InlineData("/etc/passwd", "root:x:0\n", "account uid0 within root")]
    [InlineData("/etc/group", "root\n", "tree unowned empty")]
    [InlineData("/sys/kernel/security/lockdown", "?\n", "lockdown is none")]
    public void Rejects_to_guess_what_cannot_be_understood(string path, string content, string rule)
    {
        _node.Write(path, content);
        var result = Evaluate(rule, _node.Node);
        Assert.Equal(Verdict.Unknown, result.Verdict);
        Assert.NotEmpty(result.Reason);
    }

    [Theory]
    [InlineData("process osd absent", "/proc/1/cmdline")]
    [InlineData("modules empty", "/proc")]
    [InlineData("lsm has yama", "/sys/kernel/security/lsm")]
    [InlineData("listen tcp empty", "/proc/net/tcp")]
    [InlineData("mount / has ro", "/proc/self/mountinfo")]
    public void Rejects_to_take_hidden_facts_for_absent(string rule, string hidden)
    {
        var host = hidden == "/proc/1/cmdline" ? _node.Host("/proc/1") : _node.Host(hidden);
        if (Directory.Exists(host)) Directory.Delete(host, true);
        else File.Delete(host);
        Assert.Equal(Verdict.Unknown, Evaluate(rule, _node.Node).Verdict);
    }

    [Fact]
    public void Accepts_live_sysctls_with_dots_in_names()
    {
        var node = ProbeRoot.Node(_node.Root, new(_node.KernelFiles.Kconfig));
        Assert.Equal(Verdict.Pass, Evaluate("sysctl net/ipv4/conf/eth0.100/rp_filter is 1", node).Verdict);
        Assert.Equal(Verdict.Pass, Evaluate("sysctl net.ipv4.conf.eth0/100.rp_filter is 1", node).Verdict);
        Assert.Equal(Verdict.Fail, Evaluate("sysctl kernel.absent is 1", node).Verdict);
    }

    [Fact]
    public void Accepts_sysctls_of_a_tree_in_the_order_in_which_they_are_applied()
    {
        _node.Write("/usr/lib/sysctl.d/10-a.conf", "kernel.sysrq = 1\nkernel.x = 1\n");
        _node.Write("/etc/sysctl.d/20-b.conf", "kernel.sysrq=0\n");
        _node.Write("/etc/sysctl.d/10-a.conf", "kernel.sysrq = 9\n");
        var image = ProbeRoot.Image(_node.Root, new(_node.KernelFiles.Kconfig));
        Assert.Equal(Verdict.Pass, Evaluate("sysctl kernel.sysrq is 0", image).Verdict);
        Assert.Equal(Verdict.Fail, Evaluate("sysctl kernel.x is 1", image).Verdict);
    }

    [Fact]
    public void Accepts_certificates_by_what_they_say()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
        using var certificate = new CertificateRequest("CN=osd", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(40));
        _node.Write("/etc/osd.crt", certificate.ExportCertificatePem());
        Assert.Equal(Verdict.Pass, Evaluate("cert days-left /etc/osd.crt at-least 40", _node.Node).Verdict);
        Assert.Equal(Verdict.Fail, Evaluate("cert days-left /etc/osd.crt at-least 41", _node.Node).Verdict);
        Assert.Equal(Verdict.Pass, Evaluate("cert key-bits /etc/osd.crt at-least 3072", _node.Node).Verdict);
        Assert.Equal(Verdict.Pass, Evaluate("cert subject /etc/osd.crt is CN=osd", _node.Node).Verdict);
        Assert.Equal(Verdict.Unknown, Evaluate("cert days-left /etc/hostname at-least 1", _node.Node).Verdict);
        Assert.Equal(Verdict.Fail, Evaluate("cert days-left /etc/none.crt at-least 1", _node.Node).Verdict);
    }

    internal static CheckResult Evaluate(string rule, ProbeRoot root)
    {
        var catalogue = CheckCatalogue.Parse(
            $"catalogue: own\ntitle: t\nversion: \"1\"\nsource: s\nsections:\n  - id: s\n    title: S\n    cite: c\n    rationale: r\n    remediation: r\n    checks:\n      - id: own.one\n        title: t\n        rule: '{rule}'\n", "own.yaml").Require();
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero));
        return Assert.Single(ComplianceScan.Run([catalogue], root, clock).Results);
    }
}
