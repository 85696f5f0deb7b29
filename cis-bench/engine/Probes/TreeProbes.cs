using System.Globalization;
using Talos.Linux;

namespace Talos.Checks.Probes;

/// <summary>Lists of files that have a trait: `tree suid empty`.</summary>
static class TreeProbes
{
    const int SetUserOrGroupId = 0xc00;
    const int Sticky = 0x200;
    const int GroupWrite = 0x10;
    const int OthersWrite = 0x2;

    static readonly Dictionary<string, Func<FactStore, TreeEntry, bool>> s_traits = new(StringComparer.Ordinal)
    {
        ["suid"] = (_, e) => e.Status.Kind == FileKind.Regular && e.Has(SetUserOrGroupId),
        ["world-writable"] = (_, e) => e.Status.Kind != FileKind.SymbolicLink && e.Has(OthersWrite) && !(e.Status.Kind == FileKind.Directory && e.Has(Sticky)),
        ["group-writable"] = (_, e) => e.Status.Kind == FileKind.Regular && e.Has(GroupWrite),
        ["sticky-missing"] = (_, e) => e.Status.Kind == FileKind.Directory && e.Has(OthersWrite) && !e.Has(Sticky),
        ["not-root-owned"] = (_, e) => e.Status.UserId != 0 || e.Status.GroupId != 0,
        ["unowned"] = (f, e) => !f.KnowsOwner(e.Status),
        ["devices"] = (_, e) => e.Status.Kind is FileKind.BlockDevice or FileKind.CharacterDevice,
        ["special"] = (_, e) => e.Status.Kind is FileKind.Fifo or FileKind.Socket or FileKind.Other,
        ["capabilities"] = (_, e) => e.HasCapabilities,
        ["interpreters"] = (_, e) => e.KnownInterpreter.Length > 0 || e.Status.Kind is FileKind.Regular or FileKind.SymbolicLink && Interpreters.IsInterpreterName(e.Name),
        ["scripts"] = (_, e) => e.Interpreter.Length > 0,
        ["executables"] = (_, e) => e.Traits is not null || e.Status.Kind == FileKind.Regular && e.Has(0x49),
        ["kernel-modules"] = (_, e) => e.Status.Kind == FileKind.Regular && e.Name.Contains(".ko", StringComparison.Ordinal) && e.Name.Split('.')[1] == "ko",
        ["elf-objects"] = (_, e) => Trait(e, ElfTraits.Object),
        ["elf-interpreted"] = (_, e) => Trait(e, ElfTraits.Interpreter),
        ["elf-dynamic"] = (_, e) => Trait(e, ElfTraits.NeedsLibraries),
        ["elf-no-pie"] = (_, e) => Trait(e, ElfTraits.FixedAddress),
        ["elf-no-relro"] = (_, e) => Trait(e, ElfTraits.NoRelro),
        ["elf-lazy-binding"] = (_, e) => Trait(e, ElfTraits.LazyBinding),
        ["elf-exec-stack"] = (_, e) => Trait(e, ElfTraits.ExecutableStack),
        ["elf-writable-code"] = (_, e) => Trait(e, ElfTraits.WritableCode),
        ["elf-search-path"] = (_, e) => Trait(e, ElfTraits.SearchPath),
        ["elf-no-canary"] = (_, e) => Trait(e, ElfTraits.NoCanary),
        ["hidden-names"] = (_, e) => e.Name is ['.', ..] || e.Name.Any(char.IsControl),
        ["key-material"] = (_, e) => e.Name.EndsWith(".key", StringComparison.Ordinal) || e.Name is "id_rsa" or "id_ecdsa" or "id_ed25519",
        ["package-managers"] = (_, e) => e.Name is "apt" or "apt-get" or "dpkg" or "rpm" or "yum" or "dnf" or "apk" or "pacman" or "zypper" or "pip" or "npm" or "gem",
        ["compilers"] = (_, e) => e.Name is "cc" or "gcc" or "g++" or "clang" or "ld" or "as" or "make" or "go" or "rustc" or "tcc" or "strace" or "ltrace",
        ["remote-access"] = (_, e) => e.Name is "sshd" or "dropbear" or "telnetd" or "in.telnetd" or "rlogind" or "rshd" or "nc" or "ncat" or "socat" or "netcat",
    };

    public static string[] Names => [.. s_traits.Keys];

    public static Reading Read(FactStore facts, IReadOnlyList<string> arguments)
    {
        var tree = facts.Tree;
        if (tree.Trouble.Length > 0) return Reading.Unreadable("/", tree.Trouble);
        if (IsOfContent(arguments[0]) && tree.ContentTrouble.Length > 0) return Reading.Unreadable("/", tree.ContentTrouble);
        if (arguments[0] == "unowned" && facts.OwnersTrouble is { Length: > 0 } trouble) return Reading.Unreadable("/etc/passwd", trouble);
        return tree.With(arguments[0]) is { } entries
            ? Reading.Of([.. entries.Select(e => new Fact(e.Path, Describe(arguments[0], e)))], "/")
            : Reading.Unreadable("/", $"more files have it than can be listed: {TreeWalk.MaxMatches.ToString(CultureInfo.InvariantCulture)}");
    }

    /// <summary>The traits that a file has.</summary>
    public static IEnumerable<string> Of(FactStore facts, TreeEntry entry) => s_traits.Where(t => t.Value(facts, entry)).Select(t => t.Key);

    static bool IsOfContent(string trait) =>
        trait is "interpreters" or "scripts" or "executables" or "capabilities" || trait.StartsWith("elf-", StringComparison.Ordinal);

    static bool Trait(TreeEntry entry, ElfTraits trait) => entry.Traits is { } traits && (traits & trait) != 0;

    static string Describe(string trait, TreeEntry entry)
    {
        var mode = Convert.ToString(entry.Status.Permissions, 8).PadLeft(4, '0');
        var owner = string.Create(CultureInfo.InvariantCulture, $"{entry.Status.UserId}:{entry.Status.GroupId}");
        return trait switch
        {
            "scripts" => $"{entry.Path} (run by {entry.Interpreter})",
            "interpreters" when entry.KnownInterpreter.Length > 0 => $"{entry.Path} (contains {entry.KnownInterpreter})",
            _ => $"{entry.Path} (mode {mode}, owner {owner})",
        };
    }
}
