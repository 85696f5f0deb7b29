using System.Globalization;
using System.Text;
using System.Xml;

namespace Talos.Checks;

public static partial class ReportWriter
{
    /// <summary>
    /// JUnit's XML: a suite for each section, a case for each check. A failure is a finding, an error is a fact that could not be read;
    /// what is waived, not applicable or for people is skipped with its reason.
    /// </summary>
    public static void WriteJUnit(ReportInput input, Stream output)
    {
        using var xml = XmlWriter.Create(output, new XmlWriterSettings { Indent = true, Encoding = new UTF8Encoding(false) });
        var report = input.Report;
        xml.WriteStartElement("testsuites");
        xml.WriteAttributeString("name", $"{ReportInput.Product}: {Printable(report.Target)}");
        WriteCounts(xml, input, report.Results, input.Gate?.Problems.Count ?? 0);
        foreach (var suite in report.Results.GroupBy(r => (r.Check.Catalogue, r.Check.SectionTitle)))
        {
            xml.WriteStartElement("testsuite");
            xml.WriteAttributeString("name", $"{suite.Key.Catalogue}: {suite.Key.SectionTitle}");
            WriteCounts(xml, input, [.. suite]);
            xml.WriteAttributeString("timestamp", report.Time.UtcDateTime.ToString("s", CultureInfo.InvariantCulture));
            foreach (var result in suite) WriteCase(xml, input, result);
            xml.WriteEndElement();
        }
        if (input.Gate is { Problems.Count: > 0 } gate) WriteProblems(xml, gate);
        xml.WriteEndElement();
    }

    static void WriteCounts(XmlWriter xml, ReportInput input, IReadOnlyList<CheckResult> results, int problems = 0)
    {
        int Count(Verdict verdict) => results.Count(r => r.Verdict == verdict && input.WaiverOf(r) is null);
        var (failures, errors) = (Count(Verdict.Fail), Count(Verdict.Unknown));
        var skipped = results.Count - failures - errors - results.Count(r => r.Verdict == Verdict.Pass);
        xml.WriteAttributeString("tests", (results.Count + problems).ToString(CultureInfo.InvariantCulture));
        xml.WriteAttributeString("failures", (failures + problems).ToString(CultureInfo.InvariantCulture));
        xml.WriteAttributeString("errors", errors.ToString(CultureInfo.InvariantCulture));
        xml.WriteAttributeString("skipped", skipped.ToString(CultureInfo.InvariantCulture));
    }

    static void WriteCase(XmlWriter xml, ReportInput input, CheckResult result)
    {
        xml.WriteStartElement("testcase");
        xml.WriteAttributeString("classname", result.Check.Catalogue);
        xml.WriteAttributeString("name", $"{result.Check.Id} {result.Check.Title}");
        xml.WriteAttributeString("time", "0");
        if (input.WaiverOf(result) is { } waiver)
        {
            WriteOutcome(xml, "skipped", $"waived by {waiver.Owner} until {waiver.Expiry:yyyy-MM-dd}: {OneLine(waiver.Reason)}", null);
        }
        else
        {
            switch (result.Verdict)
            {
                case Verdict.Pass:
                    break;
                case Verdict.Fail:
                    WriteOutcome(xml, "failure", result.Reason, $"{result.Check.Rationale}\n{result.Check.Remediation}\n{result.Check.Citation}");
                    break;
                case Verdict.Unknown:
                    WriteOutcome(xml, "error", result.Reason, result.Check.Citation);
                    break;
                case Verdict.NotApplicable or Verdict.Manual:
                    WriteOutcome(xml, "skipped", result.Reason, null);
                    break;
            }
        }
        xml.WriteEndElement();
    }

    static void WriteOutcome(XmlWriter xml, string element, string message, string? text)
    {
        xml.WriteStartElement(element);
        xml.WriteAttributeString("message", Printable(OneLine(message)));
        if (text is not null) xml.WriteString(Printable(text));
        xml.WriteEndElement();
    }

    static void WriteProblems(XmlWriter xml, GateResult gate)
    {
        var count = gate.Problems.Count.ToString(CultureInfo.InvariantCulture);
        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", "waivers");
        xml.WriteAttributeString("tests", count);
        xml.WriteAttributeString("failures", count);
        xml.WriteAttributeString("errors", "0");
        xml.WriteAttributeString("skipped", "0");
        foreach (var problem in gate.Problems)
        {
            xml.WriteStartElement("testcase");
            xml.WriteAttributeString("classname", "waivers");
            xml.WriteAttributeString("name", Printable(OneLine(problem)));
            WriteOutcome(xml, "failure", problem, null);
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
    }

    // XML 1.0 §2.2: most control characters cannot be written at all, and file names may hold them.
    static string Printable(string text) => string.Concat(text.Select(c => XmlConvert.IsXmlChar(c) ? c : '\ufffd'));
}
