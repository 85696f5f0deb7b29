using System.Text;

namespace Talos.Osctl.Commands;

/// <summary>A console that a node writes into a file on this machine.</summary>
static class ConsoleFile
{
    public static async Task PrintAsync(Invocation invocation, string path, string prefix, bool follow)
    {
        if (!File.Exists(path)) return;
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), Encoding.UTF8);
        while (true)
        {
            while (await reader.ReadLineAsync(invocation.Cancellation) is { } line)
            {
                lock (invocation.Output) invocation.Output.WriteLine(prefix + Printable(line));
            }
            if (!follow) return;
            lock (invocation.Output) invocation.Output.Flush();
            await Task.Delay(TimeSpan.FromMilliseconds(200), invocation.Terminal.Time, invocation.Cancellation);
        }
    }

    /// <summary>The last lines, for an explanation.</summary>
    public static IReadOnlyList<string> Tail(string path, int lines)
    {
        if (!File.Exists(path)) return [];
        // LIMIT: consoles may be long; the end is what explains.
        const int maxBytes = 32 * 1024;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Seek(-Math.Min(maxBytes, stream.Length), SeekOrigin.End);
        var text = new StreamReader(stream, Encoding.UTF8).ReadToEnd();
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(lines).Select(Printable)];
    }

    static string Printable(string line) => string.Concat(line.Select(c => char.IsControl(c) && c != '\t' ? ' ' : c)).TrimEnd();
}
