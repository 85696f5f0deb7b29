using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Talos.Api.Configuration;
using Talos.Api.Server.Tests;
using Talos.Audit;
using Xunit;

namespace Talos.Osctl.Tests;

/// <summary>`osctl audit export -f` as a process that is killed again and again, at any point, while the record grows.</summary>
public sealed class ExportKillTests
{
    const int Rounds = 25;

    static string Program => Path.Combine(AppContext.BaseDirectory, "../../Talos.Osctl", new DirectoryInfo(AppContext.BaseDirectory).Name, "osctl");

    [Fact]
    public async Task Leaves_nothing_out_when_it_is_killed()
    {
        Assert.True(File.Exists(Program), $"`{Program}` was not built");
        using var osctl = new Fixture();
        await using var node = await TestHost.StartAsync();
        osctl.SpeakAs(node.Authority, "alice", "os:admin", new SortedDictionary<string, Endpoint> { ["cp-1"] = Fixture.At(node) }, "cp-1");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var growing = GrowAsync(node.Log, end.Token);
        string[] export = ["audit", "export", "--format", "jsonl", "--to", Path.Combine(osctl.Home, "log.jsonl"), "--cursor", Path.Combine(osctl.Home, "cursor")];
        var random = new Random(Rounds);
        for (var round = 0; round < Rounds; round++)
            await KillAfterAsync(random.Next(1, 300_000), Path.Combine(osctl.Home, "log.jsonl"), [.. export, "-f", "--talosconfig", osctl.ConfigPath]);
        await end.CancelAsync();
        await growing;

        var size = node.Log.Size;
        Assert.True(await osctl.RunAsync(export) == 0, osctl.Error);

        // At least once, in order but for what is sent again, and every line whole.
        ulong next = 0;
        foreach (var line in File.ReadLines(Path.Combine(osctl.Home, "log.jsonl")))
        {
            using var json = JsonDocument.Parse(line);
            var index = json.RootElement.GetProperty("index").GetUInt64();
            Assert.True(index <= next, $"entry {next} is missing before {index}");
            next = Math.Max(next, index + 1);
        }
        Assert.True(next >= size, $"the export ends at {next}, and the record had {size} entries");
        Assert.True(size > 1000);
    }

    static async Task GrowAsync(AuditLog log, CancellationToken cancellation)
    {
        for (var i = 0; !cancellation.IsCancellationRequested; i++)
        {
            await log.AppendAsync(AuditEvents.ServiceChanged("x", "running", i.ToString(CultureInfo.InvariantCulture)), CancellationToken.None);
            if (i % 16 == 0) await Task.Delay(5, CancellationToken.None);
        }
    }

    // The moment is counted in bytes that arrived, not in time, so that a loaded machine tests the same.
    static async Task KillAfterAsync(int bytes, string file, string[] arguments)
    {
        long Length() => File.Exists(file) ? new FileInfo(file).Length : 0;
        var until = Length() + bytes;
        using var process = Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardError = true })!;
        while (Length() < until && !process.HasExited) await Task.Delay(1, TestContext.Current.CancellationToken);
        Assert.False(process.HasExited, process.HasExited ? await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken) : "");
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
