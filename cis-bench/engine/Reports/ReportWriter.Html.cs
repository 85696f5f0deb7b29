using System.Globalization;
using System.Net;

namespace Talos.Checks;

public static partial class ReportWriter
{
    /// <summary>One page that needs nothing else: no script, no font, no picture from elsewhere. Reads the same on paper.</summary>
    public static void WriteHtml(ReportInput input, TextWriter output)
    {
        var report = input.Report;
        output.Write($"""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Compliance of {E(report.Target)}</title>
            <style>{HtmlStyle.Text}</style></head><body><main>

            """);
        WriteHead(input, output);
        WriteSections(input, output);
        WriteAttention(input, output);
        WriteWaivers(input, output);
        WriteChanges(input, output);
        WriteHistory(input, output);
        output.Write("<h2 id=\"all\">All checks</h2>\n");
        foreach (var section in Sections(report)) WriteSection(input, output, section);
        output.Write($"<footer>{E(ReportInput.Product)} {E(ReportInput.Version)} · {E(string.Join(" · ", ReportInput.Asked(report).Select(c => $"{c.Title} {c.Version} ({c.Source})")))}</footer>\n</main></body></html>\n");
    }

    static IEnumerable<IGrouping<(string Catalogue, string Title), CheckResult>> Sections(ComplianceReport report) =>
        report.Results.GroupBy(r => (r.Check.Catalogue, r.Check.SectionTitle));

    static void WriteHead(ReportInput input, TextWriter output)
    {
        var report = input.Report;
        var (word, style) = input.Exit switch
        {
            ScanExit.Pass => ("Passes", "pass"),
            ScanExit.Fail => ("Does not pass", "fail"),
            _ => ("Could not be decided", "unknown"),
        };
        var kernel = string.Join(", ", new[] { report.Kernel.Version, report.Kernel.Architecture, report.Kernel.Compiler }.Where(s => !string.IsNullOrEmpty(s)));
        output.Write($"""
            <header><p class="verdict {style}">{word}</p><h1>Compliance of {E(report.Target)}</h1>
            <dl><dt>Scanned</dt><dd>{E(ReportInput.Stamp(report.Time))}, in {report.Duration.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture)} ms</dd>
            <dt>Target</dt><dd>{E(KindWords(report.Kind))}</dd>
            <dt>Kernel</dt><dd>{E(kernel.Length > 0 ? kernel : "not known")}</dd>
            <dt>Benchmarks</dt><dd>{E(string.Join(", ", ReportInput.Asked(report).Select(c => c.Title)))}</dd></dl></header>
            <ul class="sums">

            """);
        Sum("pass", report.Count(Verdict.Pass), "pass");
        Sum("fail", input.Open(Verdict.Fail), "fail");
        Sum("unknown", input.Open(Verdict.Unknown), "could not be read");
        if (input.Gate is not null || input.Told is not null) Sum("waived", input.Waived.Count(), "waived");
        Sum("na", report.Count(Verdict.NotApplicable), "not applicable");
        Sum("manual", report.Count(Verdict.Manual), "for a person");
        output.Write("</ul>\n");
        output.Write("<p class=\"legend\"><b>Fail</b>: read, and not as demanded. <b>Could not be read</b>: never counts as a pass. <b>Waived</b>: somebody answers for the finding until a date, under a signature. <b>Not applicable</b>: a condition that was read shows that there is no object. Every verdict has its evidence below.</p>\n");
        foreach (var problem in input.Gate?.Problems ?? []) output.Write($"<p class=\"problem\">{E(problem)}</p>\n");

        void Sum(string name, int count, string words) =>
            output.Write($"<li class=\"{name}\"><b>{count.ToString(CultureInfo.InvariantCulture)}</b> {words}</li>\n");
    }

    static void WriteSections(ReportInput input, TextWriter output)
    {
        output.Write("<h2>Sections</h2>\n<table class=\"sections\"><thead><tr><th>Section<th>Checks<th>Pass<th>Fail<th>Unknown<th>Waived<th>Other<th class=\"bar\">Share that passes</tr></thead><tbody>\n");
        foreach (var section in Sections(input.Report))
        {
            var results = section.ToArray();
            int Count(Verdict v) => results.Count(r => r.Verdict == v && input.WaiverOf(r) is null);
            var (pass, fail, unknown, waived) = (Count(Verdict.Pass), Count(Verdict.Fail), Count(Verdict.Unknown), results.Count(r => input.WaiverOf(r) is not null));
            var judged = pass + fail + unknown + waived;
            var share = judged == 0 ? "–" : string.Create(CultureInfo.InvariantCulture, $"<i style=\"width:{Math.Round(100.0 * pass / judged)}%\"></i>");
            output.Write($"<tr><td><a href=\"#{Anchor(section.Key)}\">{E(section.Key.Title)}</a> <small>{E(section.Key.Catalogue)}</small>");
            foreach (var (count, style) in new[] { (results.Length, ""), (pass, ""), (fail, "fail"), (unknown, "unknown"), (waived, "waived"), (results.Length - judged, "") })
                output.Write($"<td class=\"n {(count > 0 ? style : "")}\">{count.ToString(CultureInfo.InvariantCulture)}");
            output.Write($"<td class=\"bar\">{share}</tr>\n");
        }
        output.Write("</tbody></table>\n");
    }

    // What an auditor reads first: every finding with why it matters, what was read, and what to do.
    static void WriteAttention(ReportInput input, TextWriter output)
    {
        var open = input.Report.Results.Where(r => r.Verdict is Verdict.Fail or Verdict.Unknown && input.WaiverOf(r) is null).ToArray();
        output.Write("<h2>Findings</h2>\n");
        if (open.Length == 0) output.Write("<p>None.</p>\n");
        foreach (var result in open.OrderBy(r => r.Verdict == Verdict.Fail ? 0 : 1).ThenBy(r => r.Check.Level))
        {
            var check = result.Check;
            output.Write($"<article class=\"{Style(result.Verdict)}\"><h3><span class=\"tag\">{ReportInput.Word(result.Verdict)}</span> {E(check.Title)} <small>{E(check.Id)} · level {check.Level}</small></h3>\n");
            output.Write($"<p>{Prose(result.Reason)}</p>\n<dl><dt>Why</dt><dd>{Coded(check.Rationale)}</dd><dt>What to do</dt><dd>{Coded(check.Remediation)}</dd>");
            output.Write($"<dt>Source</dt><dd>{E(check.Citation)}</dd><dt>Evidence</dt><dd>");
            WriteEvidence(result, output);
            output.Write("</dd></dl></article>\n");
        }
    }

    static void WriteWaivers(ReportInput input, TextWriter output)
    {
        if (input.Gate is null && input.Told is null) return;
        output.Write("<h2>Waivers</h2>\n");
        var (waived, stale) = (input.Waived.ToArray(), input.Gate?.StaleWaivers ?? []);
        if (waived.Length == 0 && stale.Count == 0)
        {
            output.Write("<p>None.</p>\n");
            return;
        }
        output.Write("<table class=\"waivers\"><thead><tr><th>Check<th>Finding<th>Reason<th>Owner<th>Until</tr></thead><tbody>\n");
        foreach (var (result, waiver) in waived)
            output.Write($"<tr><td>{E(result.Check.Id)}<td>{Prose(result.Reason)}<td>{E(waiver.Reason)}<td>{E(waiver.Owner)}<td class=\"date\">{waiver.Expiry:yyyy-MM-dd}</tr>\n");
        foreach (var waiver in stale)
            output.Write($"<tr><td>{E(waiver.Id)}<td>Passes; the waiver is no longer needed.<td>{E(waiver.Reason)}<td>{E(waiver.Owner)}<td class=\"date\">{waiver.Expiry:yyyy-MM-dd}</tr>\n");
        output.Write("</tbody></table>\n");
    }

    static void WriteChanges(ReportInput input, TextWriter output)
    {
        if (input.Changes is not { } changes) return;
        output.Write("<h2>Changes since the node was first looked at</h2>\n");
        if (changes.Count == 0)
        {
            output.Write("<p>None.</p>\n");
            return;
        }
        output.Write("<table class=\"changes\"><thead><tr><th>Found<th>Change<th>Now<th>Checks that ask for it</tr></thead><tbody>\n");
        foreach (var drift in changes.Reverse())
        {
            var now = drift.Kind == DriftKind.Verdict ? "verdict" : drift.Returned ? "as at first" : "drifted";
            output.Write($"<tr><td class=\"date\">{ReportInput.Stamp(drift.Time)}<td>{Prose(drift.Sentence)}<td>{now}<td>{E(string.Join(", ", drift.Checks))}</tr>\n");
        }
        output.Write("</tbody></table>\n");
    }

    static void WriteHistory(ReportInput input, TextWriter output)
    {
        if (input.History is not { Count: > 0 } history) return;
        output.Write("<h2>History</h2>\n<table class=\"history\"><thead><tr><th>Scan<th>Made because<th>Pass<th>Fail<th>Unknown<th>Waived<th>Not applicable<th>Manual</tr></thead><tbody>\n");
        foreach (var scan in history.OrderByDescending(h => h.Time))
            output.Write(string.Create(CultureInfo.InvariantCulture,
                $"<tr><td class=\"date\">{ReportInput.Stamp(scan.Time)}<td>{Prose(scan.Cause)}<td class=\"n\">{scan.Sum.Passed}<td class=\"n\">{scan.Sum.Failed}<td class=\"n\">{scan.Sum.Unknown}<td class=\"n\">{scan.Sum.Waived}<td class=\"n\">{scan.Sum.NotApplicable}<td class=\"n\">{scan.Sum.Manual}</tr>\n"));
        output.Write("</tbody></table>\n");
    }

    static void WriteSection(ReportInput input, TextWriter output, IGrouping<(string Catalogue, string Title), CheckResult> section)
    {
        output.Write($"<h3 id=\"{Anchor(section.Key)}\">{E(section.Key.Title)} <small>{E(section.Key.Catalogue)}</small></h3>\n<table class=\"checks\"><thead><tr><th>Verdict<th>Check<th>Finding and evidence</tr></thead><tbody>\n");
        foreach (var result in section)
        {
            var waived = input.WaiverOf(result) is not null;
            output.Write($"<tr class=\"{(waived ? "waived" : Style(result.Verdict))}\"><td><span class=\"tag\">{(waived ? "WAIVED" : ReportInput.Word(result.Verdict))}</span><td>{E(result.Check.Title)}<br><small>{E(result.Check.Id)}</small><td>{Prose(result.Reason)}<br><small>");
            WriteEvidence(result, output);
            output.Write("</small></tr>\n");
        }
        output.Write("</tbody></table>\n");
    }

    static void WriteEvidence(CheckResult result, TextWriter output)
    {
        if (result.Evidence is null)
        {
            output.Write("a person must look");
            return;
        }
        var first = true;
        foreach (var fact in result.Evidence.Facts())
        {
            if (!first) output.Write("<br>");
            first = false;
            var observed = fact.Observed is null ? fact.Verdict == Verdict.Unknown ? "not readable" : "not there" : fact.Observed.Length == 0 ? "empty" : fact.Observed;
            output.Write($"<code>{E($"{fact.Probe} {fact.Subject}".Trim())}</code> {E(observed)} <span class=\"source\">{E(fact.Source)}</span>");
        }
    }

    static string KindWords(ScanTargets kind) => kind switch
    {
        ScanTargets.Image => "image, before it ships",
        ScanTargets.Node => "running machine",
        _ => "kernel files",
    };

    static string Style(Verdict verdict) => verdict switch
    {
        Verdict.Pass => "pass",
        Verdict.Fail => "fail",
        Verdict.NotApplicable => "na",
        Verdict.Manual => "manual",
        _ => "unknown",
    };

    static string Anchor((string Catalogue, string Title) key) =>
        string.Concat($"{key.Catalogue}-{key.Title}".ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));

    static string Sentence(string reason)
    {
        var line = OneLine(reason);
        return line.Length == 0 ? "" : line.EndsWith('.') ? line : line + ".";
    }

    static string Prose(string reason) => Coded(Sentence(reason));

    // What stands in backticks is set as code.
    static string Coded(string text)
    {
        var parts = E(text).Split('`');
        if (parts.Length % 2 == 0) return string.Join('`', parts);
        return string.Concat(parts.Select((part, i) => i % 2 == 0 ? part : $"<code>{part}</code>"));
    }

    static string E(string text) => WebUtility.HtmlEncode(text);
}
