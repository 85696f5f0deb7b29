using System.Runtime.CompilerServices;
using Talos.Linux.Files;

namespace Talos.Machined.Api;

/// <summary>The logs that the supervisor of the services writes: <c>ID.log</c>, and before it <c>ID.log.1</c>.</summary>
sealed class LogDirectory(string directory, TimeProvider clock)
{
    // LIMIT: one message of the stream.
    const int ChunkBytesMaximum = 64 << 10;
    static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>True for services that have a log. Nothing else of the directory, or outside of it, can be named.</summary>
    internal bool Has(string id) =>
        id.Length is > 0 and <= 32 && id.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && File.Exists(Current(id));

    /// <summary>Whole lines, in order; with <paramref name="follow"/> without end.</summary>
    /// <param name="tailLines">0: all that is kept.</param>
    internal async IAsyncEnumerable<byte[]> ReadAsync(string id, int tailLines, bool follow, [EnumeratorCancellation] CancellationToken stop)
    {
        var file = Open(Current(id));
        try
        {
            var kept = new List<byte>();
            if (File.Exists(Previous(id)))
                kept.AddRange(await File.ReadAllBytesAsync(Previous(id), stop));
            kept.AddRange(ReadToEnd(file));
            foreach (var chunk in Tail([.. kept], tailLines).Chunk(ChunkBytesMaximum))
                yield return chunk;
            while (follow)
            {
                await Task.Delay(LookAgain, clock, stop);
                // Before the next file is looked at: what was written to this one since.
                var isCurrent = IsCurrent(file, id);
                if (ReadToEnd(file) is { Length: > 0 } more)
                    yield return more;
                if (isCurrent)
                    continue;
                await file.DisposeAsync();
                file = Open(Current(id));
            }
        }
        finally
        {
            await file.DisposeAsync();
        }
    }

    string Current(string id) => Path.Combine(directory, id + ".log");

    string Previous(string id) => Path.Combine(directory, id + ".log.1");

    static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>False once the log was rotated away from the open file; true while its successor is not there yet.</summary>
    bool IsCurrent(FileStream file, string id)
    {
        try
        {
            using var current = Open(Current(id));
            return DirectoryHandle.IsSameFile(current.SafeFileHandle, file.SafeFileHandle);
        }
        catch (FileNotFoundException)
        {
            return true;
        }
    }

    static byte[] ReadToEnd(FileStream file)
    {
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>The last lines of a text that ends with a newline.</summary>
    internal static byte[] Tail(byte[] text, int lines)
    {
        if (lines == 0)
            return text;
        var start = text.Length;
        while (start > 0 && (start == text.Length || text[start - 1] != (byte)'\n' || --lines > 0))
            start--;
        return text[start..];
    }
}
