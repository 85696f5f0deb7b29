using System.Diagnostics;
using Xunit;

namespace Talos.EndToEnd.Tests;

/// <summary>What a newcomer types, on nodes that are processes.</summary>
[Collection("processes")]
public sealed class ProcessTourTests(ProcessCluster cluster)
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("NODE SERVICE STATE HEALTH LAST CHANGE LAST EVENT", "services")]
    [InlineData("NODE PID STATE THREADS CPU-TIME VIRTMEM RESMEM COMMAND", "ps")]
    [InlineData("NODE NAMESPACE ID MEMORY(MB) CPU", "stats")]
    [InlineData("NODE FILESYSTEM SIZE(GB) USED(GB) AVAILABLE(GB) PERCENT USED MOUNTED ON", "mounts")]
    [InlineData("NODE VOLUME FILESYSTEM SIZE USED AVAILABLE USAGE MOUNT POINT", "df")]
    [InlineData("NODE NAME", "ls", "/etc")]
    [InlineData("NODE MODE UID GID SIZE(B) LASTMOD NAME", "ls", "-l", "/etc")]
    [InlineData("NODE TOTAL USED FREE SHARED BUFFERS CACHE AVAILABLE", "memory")]
    [InlineData("NODE NTP-SERVER NODE-TIME NTP-SERVER-TIME", "time")]
    [InlineData("NODE INDEX NAME MAC MTU ADDRESS", "interfaces")]
    public void Accepts_every_question_of_two_nodes_in_one_table(string columns, params string[] command)
    {
        var lines = cluster.Osctl.Succeed([.. command, "-n", "cp-1,worker-1"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(columns, string.Join(' ', lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Contains(lines, l => l.StartsWith("cp-1 ", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("worker-1 ", StringComparison.Ordinal));
    }

    [Fact]
    public void Accepts_version_and_streams()
    {
        Assert.Contains("NODE:        cp-1", cluster.Osctl.Succeed("version").Output);
        var log = cluster.Osctl.Succeed("logs", "osd", "--tail", "2").Output;
        Assert.Equal(2, log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(["cp-1", "worker-1"], cluster.Osctl.Succeed("version", "-n", "cp-1,worker-1", "-o", "json").Json["servers"]!.AsArray().Select(s => (string?)s!["node"]));
    }

    [Fact]
    public void Accepts_the_answers_of_some_nodes_when_another_fails()
    {
        var printed = cluster.Osctl.Run("time", "-n", "cp-1,127.0.0.1:1");
        Assert.Equal(2, printed.Code);
        Assert.Contains("\ncp-1 ", printed.Output);
        Assert.Contains("error: 127.0.0.1:1: nothing answers at 127.0.0.1:1\nhint: ", printed.Error);
    }

    /// <summary>SIGINT ends a stream with 130 and no word.</summary>
    [Fact]
    public void Accepts_an_interrupted_stream_in_silence()
    {
        cluster.Osctl.Succeed("version");
        using var process = cluster.Osctl.Follow("logs", "osd", "-f");
        Assert.NotNull(process.StandardOutput.ReadLine());
        OsctlProgram.Interrupt(process);
        Assert.Equal("", process.StandardError.ReadToEnd());
        process.WaitForExit();
        Assert.Equal(130, process.ExitCode);
    }

    [Fact]
    public void Accepts_a_second_create_that_does_nothing_twice()
    {
        _ = cluster.Osctl;
        var before = cluster.Record.Plan.Nodes.Select(n => cluster.Record.Running(n)).ToArray();
        Assert.Contains("cp-1 runs already", cluster.Create().Output);
        Assert.Equal(before, cluster.Record.Plan.Nodes.Select(n => cluster.Record.Running(n)));
    }

    [Fact]
    public void Survives_a_killed_service()
    {
        var before = PidOf("osd");
        using (var kill = Process.Start("kill", ["-KILL", $"{before}"])) kill.WaitForExit();
        cluster.Osctl.SucceedWithin(Patience, _ => PidOf("osd") is var now && now != before && now != 0, "version", "-n", "worker-1");

        int PidOf(string service)
        {
            var printed = cluster.Osctl.Run("services", "-n", "worker-1", "-o", "json");
            return printed.Code != 0 ? 0 : printed.Json[0]!["services"]!.AsArray().Where(s => (string?)s!["id"] == service).Select(s => (int)s!["pid"]!).Single();
        }
    }

    /// <summary>SIGKILL to everything at once: keys, ledger and record are there again, and the record is the one seen before.</summary>
    [Fact]
    public void Survives_a_loss_of_power()
    {
        cluster.Osctl.Succeed("audit", "verify", "-n", "cp-1,worker-1");
        var serials = Serials();
        foreach (var node in cluster.Record.Plan.Nodes) cluster.Record.Running(node)!.KillFamily();
        Assert.NotEqual(0, cluster.Osctl.Run("version").Code);

        cluster.Create();
        Assert.Contains("verified", cluster.Osctl.Succeed("audit", "verify", "-n", "cp-1,worker-1").Output);
        Assert.Subset(Serials(), serials);

        HashSet<string> Serials() => [.. cluster.Osctl.Succeed("cert", "list", "-o", "json").Json["certificates"]!.AsArray().Select(c => (string)c!["serial"]!)];
    }
}
