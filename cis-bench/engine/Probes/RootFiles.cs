using System.Globalization;
using System.IO.Compression;
using System.Text;
using Talos.Checks.Rules;
using Talos.Linux;

namespace Talos.Checks.Probes;

/// <summary>The text of a file, or why there is none.</summary>
readonly record struct TextRead(ReadingState State, string Text, string Reason)
{
    public static TextRead Absent => new(ReadingState.Absent, "", "");

    public static TextRead Failed(string reason) => new(ReadingState.Unreadable, "", reason);
}

/// <summary>Reads files under a root. Links are resolved as the scanned system would: an absolute link starts at the root, `..` stops there.</summary>
sealed class RootFiles(string? root)
{
    // LIMIT: the kernel's own, include/linux/namei.h MAXSYMLINKS.
    const int MaxLinks = 40;

    // LIMIT: directories that a pattern may list; the widest that a check asks for is /etc/kubernetes/pki.
    const int MaxMatches = 4_096;

    const int ErrNoEntry = 2;
    const int ErrNotDirectory = 20;

    readonly bool _isSystemRoot = root == "/";

    public string? Root => root;

    /// <summary>The path on this machine of a path of the scanned system; null when the links lead in a circle.</summary>
    public string? Resolve(string path, bool followLast = true)
    {
        if (_isSystemRoot) return path;
        var pending = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var resolved = new List<string>();
        var links = 0;
        while (pending.TryPop(out var part))
        {
            if (part == ".") continue;
            if (part == "..")
            {
                if (resolved.Count > 0) resolved.RemoveAt(resolved.Count - 1);
                continue;
            }
            var candidate = Host(resolved, part);
            if (pending.Count == 0 && !followLast || LinkOf(candidate) is not { } target)
            {
                resolved.Add(part);
                continue;
            }
            if (++links > MaxLinks) return null;
            if (target.StartsWith('/')) resolved.Clear();
            foreach (var step in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse()) pending.Push(step);
        }
        return Host(resolved, null);
    }

    public ReadingState Status(string path, bool followLast, out FileStatus status, out string reason)
    {
        (status, reason) = (default, "");
        if (root is null)
        {
            reason = "there is no root to read from";
            return ReadingState.Unreadable;
        }
        if (Resolve(path, followLast) is not { } host)
        {
            reason = "its symbolic links lead in a circle";
            return ReadingState.Unreadable;
        }
        var errno = FileStatus.TryRead(host, followLast && _isSystemRoot, out status);
        if (errno is ErrNoEntry or ErrNotDirectory) return ReadingState.Absent;
        if (errno == 0) return ReadingState.Present;
        reason = $"stat failed with error {errno.ToString(CultureInfo.InvariantCulture)}";
        return ReadingState.Unreadable;
    }

    public TextRead ReadText(string path, int limit)
    {
        if (root is null) return TextRead.Failed("there is no root to read from");
        return Resolve(path) is { } host ? ReadHostText(host, limit) : TextRead.Failed("its symbolic links lead in a circle");
    }

    /// <summary>Reads a file by its path on this machine; gzip is unpacked.</summary>
    public static TextRead ReadHostText(string host, int limit)
    {
        try
        {
            using var file = new FileStream(host, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            var bytes = ReadUpTo(file, limit);
            if (bytes is [0x1f, 0x8b, ..])
            {
                using var unpacked = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
                bytes = ReadUpTo(unpacked, limit);
            }
            return bytes.Length > limit
                ? TextRead.Failed($"it is longer than {limit.ToString(CultureInfo.InvariantCulture)} bytes")
                : new(ReadingState.Present, Encoding.UTF8.GetString(bytes), "");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return TextRead.Absent;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return TextRead.Failed(e is UnauthorizedAccessException ? "access is denied" : e.Message.TrimEnd('.'));
        }
    }

    /// <summary>Names in a directory, sorted. Absent when it is not there.</summary>
    public ReadingState List(string directory, out IReadOnlyList<string> names, out string reason)
    {
        (names, reason) = ([], "");
        if (root is null || Resolve(directory) is not { } host)
        {
            reason = root is null ? "there is no root to read from" : "its symbolic links lead in a circle";
            return ReadingState.Unreadable;
        }
        try
        {
            names = [.. Directory.EnumerateFileSystemEntries(host).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];
            return ReadingState.Present;
        }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException)
        {
            return ReadingState.Absent;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = e is UnauthorizedAccessException ? "access is denied" : e.Message.TrimEnd('.');
            return ReadingState.Unreadable;
        }
    }

    /// <summary>The paths that a pattern names (`*` within one component); a path without `*` names itself if it is there.</summary>
    public ReadingState Expand(string pattern, out IReadOnlyList<string> paths, out string reason)
    {
        var found = new List<string> { "" };
        (paths, reason) = ([], "");
        foreach (var part in pattern.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = new List<string>();
            foreach (var directory in found)
            {
                if (!part.Contains('*'))
                {
                    next.Add($"{directory}/{part}");
                    continue;
                }
                if (List(directory.Length == 0 ? "/" : directory, out var names, out reason) == ReadingState.Unreadable) return ReadingState.Unreadable;
                next.AddRange(names.Where(n => Glob.Matches(part, n)).Select(n => $"{directory}/{n}"));
                if (next.Count > MaxMatches)
                {
                    reason = $"more than {MaxMatches.ToString(CultureInfo.InvariantCulture)} files match";
                    return ReadingState.Unreadable;
                }
            }
            found = next;
        }
        var present = new List<string>();
        foreach (var path in found)
        {
            var state = Status(path.Length == 0 ? "/" : path, true, out _, out reason);
            if (state == ReadingState.Unreadable) return state;
            if (state == ReadingState.Present) present.Add(path.Length == 0 ? "/" : path);
        }
        paths = present;
        return present.Count > 0 ? ReadingState.Present : ReadingState.Absent;
    }

    // One byte more than the limit, so that the caller sees that there is more. Files of /proc have length zero: read to the end.
    static byte[] ReadUpTo(Stream stream, int limit)
    {
        var buffer = new byte[16 << 10];
        var length = 0;
        while (length <= limit)
        {
            if (length == buffer.Length) Array.Resize(ref buffer, Math.Min(buffer.Length * 4, limit + 1));
            var read = stream.Read(buffer, length, buffer.Length - length);
            if (read == 0) break;
            length += read;
        }
        return buffer[..length];
    }

    string Host(List<string> parts, string? last)
    {
        var path = new StringBuilder(root == "/" ? "" : root);
        foreach (var part in parts) path.Append('/').Append(part);
        if (last is not null) path.Append('/').Append(last);
        return path.Length == 0 ? "/" : path.ToString();
    }

    static string? LinkOf(string host)
    {
        try
        {
            return new FileInfo(host).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not readable as a link: opening it as a file gives the error that the reading reports.
            return null;
        }
    }
}
