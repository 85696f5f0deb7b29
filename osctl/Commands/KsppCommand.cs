using System.CommandLine;
using System.Text;
using Talos.Checks;
using Talos.Kspp;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

/// <summary>Judges any Linux kernel by its files; no node is asked.</summary>
static class KsppCommand
{
    static readonly Option<string> Kconfig = new("--kconfig") { Description = "Kernel configuration, as text or gzip", HelpName = "FILE" };

    static readonly Option<string> CommandLine = new("--cmdline") { Description = "Kernel command line, like /proc/cmdline", HelpName = "FILE" };

    static readonly Option<string> Sysctl = new("--sysctl") { Description = "Sysctls, as `sysctl -a` prints them", HelpName = "FILE" };

    static readonly Option<string> Version = new("--kernel-version") { Description = "Kernel release, like /proc/version; otherwise from the configuration", HelpName = "FILE" };

    static readonly Option<bool> Failing = new("--failing") { Description = "Only what does not hold" };

    static readonly Option<bool> Complete = new("--complete") { Description = "Also settings that kernel-hardening-checker 0.6.17.1 does not know" };

    public static Verb Build() => new("kspp", "Judge a Linux kernel's hardening by its configuration, command line and sysctls",
        "osctl kspp --kconfig /boot/config-6.12.48", "osctl kspp --kconfig config.gz --cmdline /proc/cmdline --sysctl sysctls.txt --failing", "osctl kspp --kconfig config -o json")
    {
        Options = { Kconfig, CommandLine, Sysctl, Version, Failing, Complete },
        Run = invocation => Task.FromResult(Run(invocation)),
    };

    static int Run(Invocation invocation)
    {
        if (invocation.Format == OutputFormat.Yaml) throw new OsctlException("this report has no YAML form", "use `-o json`");
        var files = new KernelFiles(Given(invocation, Kconfig), Given(invocation, CommandLine), Given(invocation, Sysctl), Given(invocation, Version));
        if (files.Kconfig is null && files.Sysctl is null) throw new OsctlException("there is no kernel to judge", "give its configuration with `--kconfig FILE`");
        var verdict = KsppScan.Run(files, invocation.Terminal.Time, invocation.Get(Complete) ? KsppEdition.Complete : KsppEdition.Released);
        if (verdict.Report is not { } report) throw new OsctlException($"{verdict.Errors[0].File}:{verdict.Errors[0].Line}: {verdict.Errors[0].Message}", verdict.Errors[0].Hint);
        var rows = report.Rows.Where(r => !invocation.Get(Failing) || !r.Passed).ToArray();
        if (invocation.Format == OutputFormat.Json) WriteJson(invocation, rows);
        else WriteTable(invocation, report, rows);
        return report.Rows.All(r => r.Passed) ? ExitCode.Done : ExitCode.NotInOrder;
    }

    static void WriteJson(Invocation invocation, KsppRow[] rows)
    {
        using var written = new MemoryStream();
        KsppJson.Write(rows, written);
        invocation.Output.WriteLine(Encoding.UTF8.GetString(written.GetBuffer(), 0, (int)written.Length));
    }

    static void WriteTable(Invocation invocation, KsppReport report, KsppRow[] rows)
    {
        var table = invocation.Table("OPTION", "TYPE", "WANTED", "RECOMMENDED BY", "RESULT", "+PURPOSE");
        foreach (var row in rows) table.Add(row.OptionName, row.Type, row.DesiredValue, row.Decision, row.CheckResult, row.Reason);
        if (rows.Length > 0) table.Write(invocation.Output);
        var kernel = report.Report.Kernel;
        var name = string.Join(' ', new[] { kernel.Version, kernel.Architecture, kernel.Compiler }.Where(s => !string.IsNullOrEmpty(s)));
        invocation.Output.WriteLine($"{(rows.Length > 0 ? Environment.NewLine : "")}{name}{(name.Length > 0 ? ": " : "")}{report.Rows.Count(r => r.Passed)} OK, {report.Rows.Count(r => !r.Passed)} FAIL");
    }

    static string? Given(Invocation invocation, Option<string> option) => invocation.Get(option) is { Length: > 0 } path ? path : null;
}
