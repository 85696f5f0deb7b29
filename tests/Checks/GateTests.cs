using Talos.Checks;
using Talos.Checks.Rules;
using Talos.CisBench;
using Talos.Kspp;
using Xunit;

namespace Talos.Checks.Tests;

/// <summary>
/// Our own kernel's configuration, command line and sysctls over a small tree, spoilt for every check of the gate, one at a time; the gate has
/// to stop for exactly that check. <see cref="ImageGateTests"/> does the same for what an image promises.
/// </summary>
public sealed class GateTests
{
    static readonly DateOnly Today = new(2026, 11, 22);

    static readonly CheckCatalogue[] Catalogues = [KsppCatalogue.Load(), CisCatalogues.Linux];

    // os/waivers.yaml has a signed reason for each.
    static readonly string[] Waived = ["kspp.kconfig.BPF_SYSCALL", "kspp.kconfig.CFI_AUTO_DEFAULT", "kspp.kconfig.CFI_CLANG", "kspp.kconfig.CFI_PERMISSIVE"];

    // What cannot be derived from the rule.
    static readonly Dictionary<string, Action<ImageFixture>> Breaks = new()
    {
        ["cis-linux.1.1.21"] = i => i.Folder("/state/open", 0x1ff),
        ["cis-linux.6.1.10"] = i => i.Write("/etc/open", "x", 0x1b6),
        ["cis-linux.6.1.11"] = i => Own(i, "/etc/group"),
        ["cis-linux.6.1.13"] = i => i.Mode("/sbin/osd", 0x9ed),
        ["cis-linux.6.1-caps"] = i => i.Run("setfattr", "-n", "security.capability", "-v", "0x0100000200040000000000000000000000000000", i.Host("/sbin/osd")),
        ["cis-linux.6.1-devices"] = i => i.Run("mknod", i.Host("/etc/disk"), "b", "254", "0"),
        ["cis-linux.1.7.1.1"] = i => i.Write("/etc/motd", "\\m on \\s\n"),
        ["cis-linux.1.7.1.2"] = i => i.Write("/etc/issue", "\\m on \\s\n"),
        ["cis-linux.1.7.1.3"] = i => i.Write("/etc/issue.net", "\\m on \\s\n"),
        ["cis-linux.5.4.2"] = i => i.Write("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\nosd:x:50:50::/:/bin/sh\n"),
        ["cis-linux.5.4.3"] = i => i.Write("/etc/passwd", "root:x:0:7:root:/root:/sbin/nologin\n"),
        ["cis-linux.6.2.1"] = i => i.Write("/etc/shadow", "root::19000:0:99999:7:::\n"),
        ["cis-linux.6.2.1-plain"] = i => i.Write("/etc/passwd", "root:secret:0:0:root:/root:/sbin/nologin\n"),
        ["kspp.cmdline.ia32_emulation"] = i => i.Kernel(
            Ours("config").Replace("# CONFIG_IA32_EMULATION is not set", "CONFIG_IA32_EMULATION=y"), Ours("cmdline").Replace("ia32_emulation=0", ""), Ours("sysctl")),
        ["cis-linux.6.2.2"] = i => i.Write("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\n+::::::\n"),
        ["cis-linux.6.2.3"] = i => i.Write("/etc/shadow", "+::::::::\n"),
        ["cis-linux.6.2.4"] = i => i.Write("/etc/group", "root:x:0:\n+:::\n"),
        ["cis-linux.6.2.5"] = i => i.Write("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\ntoor:x:0:0::/:/sbin/nologin\n"),
        ["cis-linux.6.2.7"] = i => i.Write("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\nann:x:1000:1000::/home/ann:/sbin/nologin\n"),
        ["cis-linux.6.2.15"] = i => i.Write("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\nann:x:1000:999::/:/sbin/nologin\n"),
        ["cis-linux.6.2.16"] = i => i.Write("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\nann:x:50:50::/:/sbin/nologin\nosd:x:50:50::/:/sbin/nologin\n"),
        ["cis-linux.6.2.17"] = i => i.Write("/etc/group", "root:x:0:\nosd:x:50:\nann:x:50:\n"),
        ["cis-linux.6.2.18"] = i => i.Write("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\nosd:x:50:50::/:/sbin/nologin\nosd:x:51:50::/:/sbin/nologin\n"),
        ["cis-linux.6.2.20"] = i => i.Write("/etc/group", "root:x:0:\nosd:x:50:\nshadow:x:42:ann\n"),
    };

    [Fact]
    public void Accepts_our_own_kernel_but_for_what_is_waived()
    {
        using var image = Image();
        var result = Judge(image, _ => true);
        Assert.Equal(Waived, result.Stopping.Select(f => f.Result.Check.Id).Order(StringComparer.Ordinal));
        Assert.Empty(result.Problems);
    }

    [Fact]
    public void Rejects_an_image_that_fails_one_check_whichever_it_is()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("SKIPPED LOUDLY: making devices and owners needs root");
        using var image = Image();
        // The rest is for other architectures, or has to be looked at by a person.
        var asked = Judge(image, _ => true).Findings.Select(f => f.Result)
            .Where(r => r.Check.RuleText.Length > 0 && (r.Check.Architectures.Count == 0 || r.Check.Architectures.Contains("X86_64")) && !Waived.Contains(r.Check.Id)).ToArray();
        Assert.True(asked.Length > 500, $"{asked.Length} checks");
        Assert.Equal("", string.Join("\n", asked.Where(r => !CanBeBroken(r.Check)).Select(r => $"{r.Check.Id}: {r.Check.RuleText}")));
        Assert.Empty(Breaks.Keys.Except(asked.Select(r => r.Check.Id)));
    }

    // Spoils every fact that the rule asks for, then each by itself: an alternative may hold because another does not.
    static bool CanBeBroken(Check check)
    {
        if (Breaks.TryGetValue(check.Id, out var spoil)) return Stops(check, spoil, []);
        var facts = check.Rule!.FactRules().ToArray();
        return Stops(check, null, facts) || facts.Any(f => Stops(check, null, [f]));
    }

    static bool Stops(Check check, Action<ImageFixture>? spoil, IReadOnlyList<FactRule> facts)
    {
        using var image = Image();
        foreach (var fact in check.Condition?.FactRules().Where(f => f is { Probe.Name: "file", Expectation.Operator: Operator.Present }) ?? [])
            if (!Directory.Exists(image.Host(Sample(fact.Arguments[0])))) image.Write(Sample(fact.Arguments[0]), "x");
        if (spoil is not null) spoil(image);
        else Spoil(image, facts);
        var stopping = Judge(image, c => c.Id == check.Id).Stopping.ToArray();
        return stopping is [var finding] && finding.Result.Check == check && finding.Result.Verdict == Verdict.Fail && finding.Result.Evidence is not null;
    }

    static void Spoil(ImageFixture image, IReadOnlyList<FactRule> facts)
    {
        var kernel = (Config: Ours("config"), CommandLine: Ours("cmdline"), Sysctls: Ours("sysctl"), Release: "6.12.48");
        foreach (var fact in facts)
        {
            var (name, wanted) = (fact.Arguments.FirstOrDefault(""), fact.Expectation.Operator);
            switch (fact.Probe.Name)
            {
                case "kconfig":
                    kernel.Config = string.Join('\n', kernel.Config.Split('\n').Where(l => !l.StartsWith($"CONFIG_{name}=", StringComparison.Ordinal) && l != $"# CONFIG_{name} is not set"))
                        + (wanted is Operator.NotSet ? $"\nCONFIG_{name}=y\n" : fact.Expectation.Operand == "0" ? $"\nCONFIG_{name}=1\n" : wanted is Operator.AtLeast ? $"\nCONFIG_{name}=1\n" : $"\n# CONFIG_{name} is not set\n");
                    break;
                case "cmdline":
                    var rest = kernel.CommandLine.Split(' ').Where(w => w.Split('=')[0] != name);
                    kernel.CommandLine = string.Join(' ', wanted is Operator.Present ? rest : wanted is Operator.Is or Operator.In or Operator.Has ? [.. rest, $"{name}=wrong"] : [.. rest, $"{name}=off"]);
                    break;
                case "sysctl":
                    kernel.Sysctls = string.Join('\n', kernel.Sysctls.Split('\n').Where(l => l.Split('=')[0].Trim() != name))
                        + $"\n{name} = {(wanted is Operator.MatchesNot ? "|/bin/x" : wanted is Operator.NotSet ? "1" : fact.Expectation.Operand == "-7" ? "7" : "-7")}\n";
                    break;
                case "kernel-version":
                    kernel.Release = "3.0.0";
                    break;
                case "file" when wanted is Operator.Absent:
                    image.Write(Sample(name), "x");
                    break;
                case "file":
                    File.Delete(image.Host(name));
                    break;
                case "executable":
                    image.Write($"/sbin/{name}", new ElfSample().ToBytes(), 0x1ed);
                    break;
                case "mode" or "owner":
                    var path = Sample(name);
                    if (!File.Exists(image.Host(path)) && !Directory.Exists(image.Host(path))) image.Write(path, "x");
                    if (fact.Probe.Name == "mode") image.Mode(path, 0xfff);
                    else Own(image, path);
                    break;
            }
        }
        image.Kernel(kernel.Config, kernel.CommandLine + "\n", kernel.Sysctls, kernel.Release);
    }

    // A path that a pattern matches.
    static string Sample(string pattern) => pattern.Replace("/*", "/x").Replace("*", "");

    static void Own(ImageFixture image, string path) => image.Run("chown", "12345:12345", image.Host(path));

    static ImageFixture Image()
    {
        var image = new ImageFixture();
        image.Kernel(Ours("config"), Ours("cmdline") + "\n", Ours("sysctl"));
        return image;
    }

    static string Ours(string what) => s_own[what];

    static readonly Dictionary<string, string> s_own = new()
    {
        ["config"] = AskedFor(Vectors.Unpack(Vectors.Of("own", "config.gz"))),
        ["cmdline"] = string.Join(' ', File.ReadLines(Vectors.OfRepository("os/kernel/cmdline.txt")).Where(l => l.Length > 0 && l[0] != '#')) + " root=/dev/dm-0",
        ["sysctl"] = File.ReadAllText(Vectors.OfRepository("os/rootfs/etc/talos/sysctl.conf")),
    };

    // A tenth of the options; the test spoils the text a thousand times.
    static string AskedFor(string config)
    {
        var asked = Catalogues.SelectMany(c => c.Checks).SelectMany(c => (c.Rule?.FactRules() ?? []).Concat(c.Condition?.FactRules() ?? []))
            .SelectMany(f => f.Other is null ? [f.Arguments] : new[] { f.Arguments, f.Other.Arguments }).Select(a => $"CONFIG_{a.FirstOrDefault("")}").ToHashSet();
        // The fixture writes a heading of its own.
        return string.Join('\n', config.Split('\n').Where(l => l.Contains("CONFIG_", StringComparison.Ordinal) && (asked.Contains(l.TrimStart('#', ' ').Split('=', ' ')[0])
            || l is "CONFIG_X86_64=y" || l.Contains("_VERSION=", StringComparison.Ordinal))));
    }

    static GateResult Judge(ImageFixture image, Func<Check, bool> selected) =>
        Gate.Judge(ComplianceScan.Run(Catalogues, image.Image, TimeProvider.System, new(Selected: selected)), Waivers.None, Today);
}
