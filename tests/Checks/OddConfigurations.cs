using System.Text.RegularExpressions;

namespace Talos.Checks.Tests;

/// <summary>Ways in which a kernel configuration may differ from what the kernel's build writes.</summary>
static partial class OddConfigurations
{
    public static IReadOnlyList<(string Name, Func<string, Random, string> Spoil)> All { get; } =
    [
        ("cr-lf", (t, _) => t.Replace("\n", "\r\n")),
        ("cr", (t, _) => t.Replace("\n", "\r")),
        ("no-last-line-end", (t, _) => t.TrimEnd('\n')),
        ("indented", (t, _) => string.Join('\n', t.Split('\n').Select(l => $"  {l}\t"))),
        ("byte-order-mark", (t, _) => "\ufeff" + t),
        ("form-feeds", (t, _) => t.Replace("\n", "\f\n")),
        ("strange-line-ends", (t, _) => t.Insert(t.IndexOf('\n') + 1, "#\u0085 a\u2028b\n")),
        ("empty", (_, _) => ""),
        ("blank", (_, _) => "\n\n"),
        ("no-release", (t, _) => Release().Replace(t, "#")),
        ("two-numbers", (t, _) => Release().Replace(t, "# Linux/x86 6.12 Kernel Configuration")),
        ("four-numbers", (t, _) => Release().Replace(t, "# Linux/x86 5.4.219.1 Kernel Configuration")),
        ("release-candidate", (t, _) => Release().Replace(t, "# Linux/arm64 6.19.0-rc3+ Kernel Configuration")),
        ("release-with-plus", (t, _) => Release().Replace(t, "# Linux/riscv 6.1.0+deb Kernel Configuration")),
        ("release-with-blanks-behind", (t, _) => Release().Replace(t, "# Linux/x86 6.6.1 Kernel Configuration  ")),
        ("old-release", (t, _) => Release().Replace(t, "# Linux/x86 3.10.0-1160.el7.x86_64 Kernel Configuration")),
        ("new-release", (t, _) => Release().Replace(t, "# Linux/x86 7.3.0 Kernel Configuration")),
        ("two-releases", (t, _) => "# Linux/x86 5.0.0 Kernel Configuration\n" + t),
        ("proc-version", (t, _) => "Linux version 6.6.8-amd64 (x) #1\n" + Release().Replace(t, "#")),
        ("no-architecture", (t, _) => Architecture().Replace(t, "")),
        ("two-architectures", (t, _) => t + "CONFIG_ARM=y\nCONFIG_RISCV=y\n"),
        ("architecture-in-a-comment", (t, _) => Architecture().Replace(t, "") + "# CONFIG_RISCV=y\n"),
        ("architecture-behind-others", (t, _) => Architecture().Replace(t, "") + "# CONFIG_a CONFIG_ARM64=y\n"),
        ("option-twice", (t, _) => t + "CONFIG_ZZZ=y\nCONFIG_ZZZ=y\n"),
        ("option-on-and-off", (t, _) => t + "# CONFIG_ZZZ is not set\nCONFIG_ZZZ=y\n"),
        ("on-that-is-off", (t, _) => t + "CONFIG_ZZZ=is not set\n"),
        ("empty-value", (t, _) => t.Replace("CONFIG_SLAB_FREELIST_RANDOM=y", "CONFIG_SLAB_FREELIST_RANDOM=")),
        ("no-option", (t, _) => t + "hello\n"),
        ("blank-before-equals", (t, _) => t + "CONFIG_SP =y\n"),
        ("nearly-options", (t, _) => t + "CONFIG_lower=y\n# CONFIG_x is  not set\n#CONFIG_Y is not set\n# CONFIG_ is not set\n"),
        ("gcc", (t, _) => Compiler().Replace(t, m => $"CONFIG_{m.Groups[1]}_VERSION={(m.Groups[1].Value == "GCC" ? "140200" : "0")}")),
        ("clang", (t, _) => Compiler().Replace(t, m => $"CONFIG_{m.Groups[1]}_VERSION={(m.Groups[1].Value == "CLANG" ? "190103" : "0")}")),
        ("two-compilers", (t, _) => Compiler().Replace(t, "CONFIG_$1_VERSION=5")),
        ("no-compiler", (t, _) => Compiler().Replace(t, "")),
        ("no-kind-of-compiler", (t, _) => Regex.Replace(t, "^(# )?CONFIG_CC_IS_.*$", "", RegexOptions.Multiline)),
        ("no-limits", (t, _) => Regex.Replace(t, "^CONFIG_ARCH_MMAP_RND.*$", "", RegexOptions.Multiline)),
        ("other-limits", (t, _) => Regex.Replace(t, "^CONFIG_ARCH_MMAP_RND_BITS_MAX=.*$", "CONFIG_ARCH_MMAP_RND_BITS_MAX=24", RegexOptions.Multiline)),
        ("shuffled", (t, r) => string.Join('\n', t.Split('\n').OrderBy(_ => r.Next()))),
        ("modules", (t, r) => Enabled().Replace(t, m => r.Next(3) == 0 && !IsArchitecture(m) ? $"CONFIG_{m.Groups[1]}=m" : m.Value)),
        ("half-off", (t, r) => Enabled().Replace(t, m => r.Next(2) == 0 && !IsArchitecture(m) ? $"# CONFIG_{m.Groups[1]} is not set" : m.Value)),
        ("half-on", (t, r) => Disabled().Replace(t, m => r.Next(2) == 0 && !IsArchitecture(m) ? $"CONFIG_{m.Groups[1]}=y" : m.Value)),
        ("half-gone", (t, r) => string.Join('\n', t.Split('\n').Where(l => r.Next(2) == 0 || l.Contains("Linux/", StringComparison.Ordinal) || Architecture().IsMatch(l)))),
    ];

    static bool IsArchitecture(Match option) => option.Groups[1].Value is "X86_64" or "X86_32" or "ARM64" or "ARM" or "RISCV";

    [GeneratedRegex("^# Linux/.*$", RegexOptions.Multiline)]
    private static partial Regex Release();

    [GeneratedRegex("^CONFIG_(X86_64|X86_32|ARM64|ARM|RISCV)=y$", RegexOptions.Multiline)]
    private static partial Regex Architecture();

    [GeneratedRegex("^CONFIG_(GCC|CLANG)_VERSION=.*$", RegexOptions.Multiline)]
    private static partial Regex Compiler();

    [GeneratedRegex("^CONFIG_([A-Z0-9_]+)=y$", RegexOptions.Multiline)]
    private static partial Regex Enabled();

    [GeneratedRegex("^# CONFIG_([A-Z0-9_]+) is not set$", RegexOptions.Multiline)]
    private static partial Regex Disabled();
}
