using System.Text;
using Talos.Linux.Supervision;
using Talos.Machined.Api;

namespace Talos.Machined.Tests;

public sealed class LogDirectoryTests : IDisposable
{
    readonly string _directory = Directory.CreateTempSubdirectory("talos-logs-").FullName;

    [Theory]
    [InlineData(0, "a\nb\nc\n")]
    [InlineData(1, "c\n")]
    [InlineData(2, "b\nc\n")]
    [InlineData(9, "a\nb\nc\n")]
    public void Takes_the_last_lines(int lines, string expected) =>
        Assert.Equal(expected, Encoding.ASCII.GetString(LogDirectory.Tail("a\nb\nc\n"u8.ToArray(), lines)));

    [Fact]
    public async Task Follows_a_log_over_a_rotation()
    {
        using var log = new ServiceLog(_directory, "osd", TimeProvider.System);
        log.Write("first"u8);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var lines = new LogDirectory(_directory, TimeProvider.System).ReadAsync("osd", 0, follow: true, stop.Token).GetAsyncEnumerator();
        var seen = new StringBuilder();
        await ReadUntilAsync("first\n");

        // More than one file holds, less than two.
        var filler = new byte[1000];
        filler.AsSpan().Fill((byte)'x');
        for (var i = 0; i < ServiceLog.FileBytesMaximum / 1000; i++)
            log.Write(filler);
        log.Write("last"u8);
        await ReadUntilAsync("last\n");

        Assert.Equal(2, Directory.GetFiles(_directory).Length);
        Assert.Equal(2 + ServiceLog.FileBytesMaximum / 1000, seen.ToString().Count(c => c == '\n'));

        async Task ReadUntilAsync(string end)
        {
            while (!seen.ToString().EndsWith(end, StringComparison.Ordinal))
            {
                Assert.True(await lines.MoveNextAsync());
                seen.Append(Encoding.ASCII.GetString(lines.Current));
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../../etc/passwd")]
    [InlineData("OSD")]
    [InlineData("trustd")]
    public void Denies_what_is_no_log(string id)
    {
        File.WriteAllText(Path.Combine(_directory, "osd.log"), "");

        Assert.True(new LogDirectory(_directory, TimeProvider.System).Has("osd"));
        Assert.False(new LogDirectory(_directory, TimeProvider.System).Has(id));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
