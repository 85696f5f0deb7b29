using System.CommandLine;
using System.Text;
using Talos.Checks;
using Talos.CisBench;
using Talos.Kspp;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static partial class ComplianceCommand
{
    static readonly Option<string> Root = new("--root") { Description = "Unpacked root tree, or / for this machine", HelpName = "DIR" };

    static readonly Option<string> Profile = new("--profile") { Description = "L1, or L2 for level 1 and 2; L2 unless given", HelpName = "LEVEL" };

    static readonly Option<string[]> Catalogues = new("--catalogue") { Description = "A catalogue of your own; may be repeated", HelpName = "FILE" };

    static readonly Option<string> Waived = new("--waivers") { Description = "Signed waivers; the scan then judges as the gate does", HelpName = "FILE" };

    static readonly Option<string> Signers = new("--signers") { Description = "Public keys whose signatures on waivers count", HelpName = "FILE" };

    static readonly Option<string> Kconfig = new("--kconfig") { Description = "The kernel's configuration, where the tree does not have it", HelpName = "FILE" };

    static readonly Option<string> KernelCommandLine = new("--cmdline") { Description = "The kernel's command line", HelpName = "FILE" };

    static readonly Option<string> Sysctls = new("--sysctl") { Description = "The sysctls that will be set", HelpName = "FILE" };

    static readonly Option<string> JUnit = new("--junit") { Description = "Also write a JUnit report", HelpName = "FILE" };

    static readonly Option<string> Sarif = new("--sarif") { Description = "Also write a SARIF 2.1.0 report", HelpName = "FILE" };

    static readonly Option<string> Html = new("--html") { Description = "Also write one HTML page for reading and printing", HelpName = "FILE" };

    static readonly Option<bool> Everything = new("--all") { Description = "Show what passed too" };

    static Verb Scan() => new("scan", "Check a tree, this machine or nodes, and write reports",
        "osctl compliance scan --root /", "osctl compliance scan --root ./rootfs --kconfig config --cmdline cmdline.txt --html report.html",
        "osctl compliance scan --node cp-1 --benchmark cis-linux --profile L1 --sarif report.sarif", "osctl compliance scan --root / --benchmark kspp -o json")
    {
        Options = { Root, Benchmark, Profile, Catalogues, Waived, Signers, Kconfig, KernelCommandLine, Sysctls, JUnit, Sarif, Html, Everything },
        Run = invocation =>
        {
            if (invocation.Format == OutputFormat.Yaml) throw new OsctlException("this report has no YAML form", "use `-o json`");
            return Given(invocation, Root) is { } root ? Task.FromResult(ScanTree(invocation, root)) : ScanNodesAsync(invocation);
        },
    };

    static int ScanTree(Invocation invocation, string path)
    {
        if (invocation.IsGiven(GlobalOptions.Nodes)) throw new OsctlException("`--root` and `--node` name two targets", "scan one at a time");
        if (!Directory.Exists(path)) throw new OsctlException($"there is no folder `{path}`");
        var kernel = new KernelFiles(Given(invocation, Kconfig), Given(invocation, KernelCommandLine), Given(invocation, Sysctls));
        // A tree with a process table is a machine that runs.
        var root = Directory.Exists(Path.Combine(path, "proc/1")) ? ProbeRoot.Node(path, kernel) : ProbeRoot.Image(path, kernel);
        var level = Level(invocation);
        var chosen = Chosen(invocation);
        // The others are named too, so that a waiver of one of their checks is no waiver of nothing.
        var report = ComplianceScan.Run([.. chosen.Union(Shipped())], root, invocation.Terminal.Time, new ScanOptions(level, c => Array.Exists(chosen, k => k.Id == c.Catalogue)));
        var input = new ReportInput(report, Judged(invocation, report));
        WriteFiles(invocation, input);
        if (invocation.Format == OutputFormat.Json) invocation.Output.WriteLine(Written(input, ReportWriter.WriteJson));
        else ReportWriter.WriteTable(input, invocation.Output, invocation.Get(Everything));
        return CodeOf(input.Exit);
    }

    static GateResult? Judged(Invocation invocation, ComplianceReport report) =>
        Given(invocation, Waived) is { } waivers ? Gate.Judge(report, ReadWaivers(invocation, waivers), Today(invocation)) : null;

    static int CodeOf(ScanExit exit) => exit switch
    {
        ScanExit.Pass => ExitCode.Done,
        ScanExit.Fail => ExitCode.NotInOrder,
        ScanExit.CouldNotTell => ExitCode.CouldNotTell,
        _ => throw new InvalidOperationException($"no such end of a scan: {exit}"),
    };

    static void WriteFiles(Invocation invocation, ReportInput input)
    {
        if (Given(invocation, JUnit) is { } junit) File.WriteAllText(junit, Written(input, ReportWriter.WriteJUnit));
        if (Given(invocation, Sarif) is { } sarif) File.WriteAllText(sarif, Written(input, ReportWriter.WriteSarif));
        if (Given(invocation, Html) is not { } html) return;
        using var page = new StreamWriter(html, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        ReportWriter.WriteHtml(input, page);
    }

    static string Written(ReportInput input, Action<ReportInput, Stream> write)
    {
        using var stream = new MemoryStream();
        write(input, stream);
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    static int Level(Invocation invocation) => invocation.Get(Profile) switch
    {
        "" or "L2" or "l2" => 2,
        "L1" or "l1" => 1,
        var other => throw new OsctlException($"`{other}` is no profile", "profiles are L1 and L2"),
    };

    static CheckCatalogue[] Chosen(Invocation invocation)
    {
        var own = invocation.Words(Catalogues).Select(ReadCatalogue).ToArray();
        var known = Shipped();
        var name = invocation.Get(Benchmark);
        if (name.Length == 0) return own.Length > 0 ? own : known;
        var chosen = known.Where(c => c.Id == name).ToArray();
        return chosen.Length > 0
            ? [.. chosen, .. own]
            : throw new OsctlException($"there is no benchmark `{name}`", $"one of {string.Join(", ", known.Select(c => $"`{c.Id}`"))}");
    }

    static CheckCatalogue[] Shipped() =>
        [KsppCatalogue.Load(), CisCatalogues.Image, CisCatalogues.Node, CisCatalogues.Linux, CisCatalogues.Kubernetes];

    static CheckCatalogue ReadCatalogue(string file)
    {
        var parsed = CheckCatalogue.Load(file);
        return parsed.Value ?? throw Refused(parsed.Errors);
    }

    static Waivers ReadWaivers(Invocation invocation, string file)
    {
        var signers = Given(invocation, Signers) ?? throw new OsctlException("waivers count only under signatures that are trusted", "name the public keys with `--signers FILE`");
        var parsed = Talos.Checks.Waivers.Load(file, signers);
        return parsed.Value ?? throw Refused(parsed.Errors);
    }

    // Every error of the file: whoever repairs it wants them all.
    static OsctlException Refused(IReadOnlyList<SourceError> errors)
    {
        const int Shown = 20;
        var lines = errors.Take(Shown).Select(e => $"{e.File}:{e.Line}:{e.Column}: {e.Message}");
        if (errors.Count > Shown) lines = lines.Append($"and {errors.Count - Shown} more");
        return new(string.Join('\n', lines), errors[0].Hint);
    }

    static DateOnly Today(Invocation invocation) => DateOnly.FromDateTime(invocation.Terminal.Time.GetUtcNow().UtcDateTime);

    static string? Given(Invocation invocation, Option<string> option) => invocation.Get(option) is { Length: > 0 } value ? value : null;
}
