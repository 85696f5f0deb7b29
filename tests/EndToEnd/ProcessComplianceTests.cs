using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Xunit;

namespace Talos.EndToEnd.Tests;

/// <summary>What an auditor types, on nodes that are processes. The machine below them is no Talos node, so it does not pass.</summary>
[Collection("processes")]
public sealed class ProcessComplianceTests(ProcessCluster cluster) : IDisposable
{
    const int NotInOrder = 4;

    readonly string _folder = Directory.CreateTempSubdirectory("talos-auditor-").FullName;

    [Fact]
    public void Accepts_a_scan_of_a_node_with_every_report()
    {
        var printed = cluster.Osctl.Run("compliance", "scan", "--node", "cp-1", "--html", Report("r.html"), "--junit", Report("r.xml"), "--sarif", Report("r.sarif"), "-o", "json");
        Assert.Equal(NotInOrder, printed.Code);
        var results = printed.Json["results"]!.AsArray();
        Assert.Equal("cp-1", (string?)printed.Json["target"]);
        Assert.Equal(["cis-linux", "kspp", "talos-node"], results.Select(r => (string)r!["benchmark"]!).Distinct().Order());
        Assert.All(results.Where(r => (string)r!["verdict"]! == "FAIL"), r => Assert.NotEmpty(r!["evidence"]!.AsArray()));
        Assert.Equal(results.Count, JsonNode.Parse(File.ReadAllText(Report("r.sarif")))!["runs"]![0]!["results"]!.AsArray().Count);
        Assert.Equal($"{results.Count}", (string?)XDocument.Load(Report("r.xml")).Root!.Attribute("tests"));
        var page = File.ReadAllText(Report("r.html"));
        foreach (var text in (string[])["Compliance of cp-1", "Changes since the node was first looked at", "History", "start"]) Assert.Contains(text, page, StringComparison.Ordinal);

        // Two reports of the same node differ in nothing.
        File.WriteAllText(Report("before.json"), printed.Output);
        File.WriteAllText(Report("after.json"), cluster.Osctl.Run("compliance", "scan", "--node", "cp-1", "-o", "json").Output);
        Assert.Contains("nothing changed", cluster.Osctl.Succeed("compliance", "diff", Report("before.json"), Report("after.json")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Accepts_a_scan_of_several_nodes_of_one_benchmark_and_level()
    {
        var all = ScanBoth().Json.AsArray();
        var first = ScanBoth("--profile", "L1").Json.AsArray();
        Assert.Equal(["cp-1", "worker-1"], all.Select(r => (string?)r!["target"]));
        Assert.All(all, r => Assert.All(r!["results"]!.AsArray(), c => Assert.Equal("cis-linux", (string?)c!["benchmark"])));
        Assert.True(first[0]!["results"]!.AsArray().Count < all[0]!["results"]!.AsArray().Count);
        Assert.All(first[0]!["results"]!.AsArray(), c => Assert.Equal(1, (int)c!["level"]!));
    }

    // Each of the two looks at every file of this machine, which may have very many and other work.
    Printed ScanBoth(params string[] options)
    {
        var printed = cluster.Osctl.Run(["compliance", "scan", "-n", "cp-1,worker-1", "--benchmark", "cis-linux", "--timeout", "5m", "-o", "json", .. options]);
        Assert.True(printed.Code == NotInOrder, $"{printed}");
        return printed;
    }

    [Fact]
    public void Accepts_the_history_and_where_a_node_stands()
    {
        var history = cluster.Osctl.Succeed("compliance", "history", "-n", "cp-1,worker-1").Output.Split('\n');
        Assert.Equal("NODE TIME PASS FAIL UNKNOWN WAIVED N/A MANUAL BECAUSE", string.Join(' ', history[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Contains(history, l => l.StartsWith("worker-1", StringComparison.Ordinal) && l.EndsWith("start", StringComparison.Ordinal));
        Assert.StartsWith("NODE", cluster.Osctl.Succeed("compliance", "history", "--changes").Output, StringComparison.Ordinal);

        using var watch = cluster.Osctl.Follow("compliance", "watch");
        Assert.Contains("drifted since ", watch.StandardOutput.ReadLine(), StringComparison.Ordinal);
        OsctlProgram.Interrupt(watch);
        watch.WaitForExit();
        Assert.Equal(130, watch.ExitCode);
    }

    [Theory]
    [InlineData("`--root` and `--node` name two targets", "--root", "/", "--node", "cp-1")]
    [InlineData("`--catalogue` goes with a tree", "--node", "cp-1", "--catalogue", "own.yaml")]
    [InlineData("a report is of one node, and there are 2", "--node", "cp-1,worker-1", "--html", "r.html")]
    [InlineData("`L3` is no profile", "--node", "cp-1", "--profile", "L3")]
    [InlineData("there is no benchmark `cis`", "--root", "/", "--benchmark", "cis")]
    [InlineData("there is no folder `/nowhere`", "--root", "/nowhere")]
    public void Rejects_what_makes_no_sense_without_asking(string sentence, params string[] arguments)
    {
        _ = cluster.Osctl;
        var printed = cluster.Osctl.Run(["compliance", "scan", .. arguments]);
        Assert.Equal(1, printed.Code);
        Assert.Contains(sentence, printed.Error, StringComparison.Ordinal);
    }

    string Report(string name) => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
