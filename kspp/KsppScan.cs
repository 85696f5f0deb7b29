using Talos.Checks;

namespace Talos.Kspp;

/// <summary>One setting as kernel-hardening-checker prints it with `-m json`; its `reason` is our section.</summary>
public sealed record KsppRow(
    string OptionName, string Type, string Reason, string Decision, string DesiredValue, string CheckResult, bool Passed, string CheckId);

/// <param name="Rows">In the order of the catalogue; settings of other architectures and of files that were not given are left out.</param>
public sealed record KsppReport(IReadOnlyList<KsppRow> Rows, ComplianceReport Report);

/// <summary>Checks a kernel by its files, on any machine and for any Linux kernel.</summary>
public static class KsppScan
{
    /// <summary>
    /// The rows that kernel-hardening-checker gives for the same files, with the same words. Refused with a position: a malformed file, a
    /// configuration that names no release or not exactly one architecture, a command line without a configuration.
    /// </summary>
    /// <param name="files">A configuration with or without command line and sysctl listing; or a sysctl listing alone.</param>
    public static KsppVerdict Run(KernelFiles files, TimeProvider time, KsppEdition edition = KsppEdition.Released)
    {
        if (files.Kconfig is null && files.CommandLine is not null) return Refuse(files.CommandLine, "a command line can be judged only with the kernel's configuration");
        if (files.Kconfig is null && files.Sysctl is null) return Refuse("", "neither a kernel configuration nor a sysctl listing was given");
        var report = ComplianceScan.Run(
            [KsppCatalogue.Load(edition)], ProbeRoot.Files(files), time, new(Selected: c => Given(files, KindOf(c))));
        if (report.Kernel.Errors.Count > 0) return new(null, report.Kernel.Errors);
        if (files.Kconfig is not null && report.Kernel.Architecture is null) return Refuse(files.Kconfig, report.Kernel.ArchitectureTrouble);
        if (files.Kconfig is not null && report.Kernel.Version is null)
            return Refuse(files.Kconfig, report.Kernel.VersionTrouble, "give a file like /proc/version with --kernel-version");
        return new(new([.. report.Results.Select(RowOf).OfType<KsppRow>()], report), []);
    }

    static KsppVerdict Refuse(string file, string message, string? hint = null) => new(null, [new SourceError(file, 1, 1, message, hint)]);

    static bool Given(KernelFiles files, string kind) => kind switch
    {
        "kconfig" => files.Kconfig is not null,
        "cmdline" => files.CommandLine is not null,
        _ => files.Sysctl is not null,
    };

    // Ids are `kspp.<kind>.<setting>`.
    static string KindOf(Check check) => check.Id.Split('.')[1];

    static KsppRow? RowOf(CheckResult result)
    {
        if (result.Verdict == Verdict.NotApplicable || result.Evidence is not { } evidence) return null;
        var setting = evidence.Facts().First();
        // Settings for particular architectures are left out where the listing does not say which it is.
        if (setting.Probe == "kernel") return null;
        // There is nothing to compare with: the architecture has no such limit, or the listing came without a configuration.
        if (setting is { Operator: "is-value-of", Operand: "" }) return null;
        var text = CheckerWords.Of(evidence);
        return new(CheckerWords.Name(setting), setting.Probe, result.Check.SectionId, result.Check.Authority, CheckerWords.Wanted(setting),
            text, text.StartsWith("OK", StringComparison.Ordinal), result.Check.Id);
    }
}

/// <summary>The rows, or why there are none.</summary>
public sealed record KsppVerdict(KsppReport? Report, IReadOnlyList<SourceError> Errors);
