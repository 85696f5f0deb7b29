using Talos.Checks;
using Talos.CisBench;
using Talos.Kspp;

namespace Talos.Image;

/// <summary>What is about to become an image, as the gate sees it: the tree that is packed and the kernel's own files.</summary>
sealed record ImageCandidate(RootTree Tree, KernelFiles Kernel);

/// <summary>Holds a candidate to the checks of the kernel and of the tree, and writes what it found for people and for programs.</summary>
sealed class ImageGate(string waivers, string signers, string reports, TimeProvider time)
{
    /// <summary>Judges the candidate; the reports are there whether it passes or not.</summary>
    /// <exception cref="ImageException">The candidate may not ship, or the waivers cannot be trusted.</exception>
    public GatePass Require(ImageCandidate candidate)
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        var report = ComplianceScan.Run(
            [KsppCatalogue.Load(), CisCatalogues.Image, CisCatalogues.Linux], ProbeRoot.Image(candidate.Tree.Folder, candidate.Kernel), time);
        var result = Gate.Judge(report, ReadWaivers(), today);
        var input = new ReportInput(report, result);
        WriteReports(input);
        foreach (var stale in result.StaleWaivers) Console.Error.WriteLine($"note: the waiver of `{stale.Id}` is not needed any more");
        if (result.Pass is { } pass)
        {
            Console.WriteLine(ReportWriter.Summary(input));
            return pass;
        }
        var reasons = result.Problems.Concat(result.Stopping.Select(finding => $"{finding.Result.Check.Id}: {finding.Sentence}"));
        throw new ImageException(
            $"the image may not ship\n  {string.Join("\n  ", reasons)}",
            $"repair it, or have the check waived in {waivers}; {Path.Combine(reports, "report.html")} has the evidence");
    }

    Waivers ReadWaivers()
    {
        var parsed = Waivers.Load(waivers, signers);
        return parsed.Value ?? throw new ImageException(string.Join('\n', parsed.Errors));
    }

    void WriteReports(ReportInput input)
    {
        Directory.CreateDirectory(reports);
        WriteStream("report.json", stream => ReportWriter.WriteJson(input, stream));
        WriteStream("report.junit.xml", stream => ReportWriter.WriteJUnit(input, stream));
        WriteStream("report.sarif", stream => ReportWriter.WriteSarif(input, stream));
        WriteText("report.html", writer => ReportWriter.WriteHtml(input, writer));
        WriteText("report.txt", writer => ReportWriter.WriteTable(input, writer, all: true));
    }

    void WriteStream(string name, Action<Stream> write)
    {
        using var stream = File.Create(Path.Combine(reports, name));
        write(stream);
    }

    void WriteText(string name, Action<TextWriter> write)
    {
        using var writer = new StreamWriter(Path.Combine(reports, name));
        write(writer);
    }
}
