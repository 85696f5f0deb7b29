using System.Text;

namespace Talos.Linux.Kernel;

/// <summary>Reads files whose size stat(2) does not tell: those of /proc and /sys.</summary>
public static class ProcFile
{
    /// <summary>The whole file as UTF-8, or its first <paramref name="bytesMaximum"/> bytes.</summary>
    public static string ReadText(string path, int bytesMaximum) => Encoding.UTF8.GetString(ReadBytes(path, bytesMaximum));

    /// <summary>The whole file, or its first <paramref name="bytesMaximum"/> bytes.</summary>
    public static byte[] ReadBytes(string path, int bytesMaximum)
    {
        using var file = File.OpenHandle(path);
        var buffer = new byte[Math.Min(4096, bytesMaximum)];
        var length = 0;
        while (true)
        {
            var read = RandomAccess.Read(file, buffer.AsSpan(length), length);
            length += read;
            if (read == 0 || length == bytesMaximum)
                return buffer.AsSpan(0, length).ToArray();
            if (length == buffer.Length)
                Array.Resize(ref buffer, Math.Min(buffer.Length * 2, bytesMaximum));
        }
    }

    /// <summary>The file's text without trailing white space, or null where it cannot be read.</summary>
    public static string? TryReadLine(string path)
    {
        try
        {
            return ReadText(path, 4096).TrimEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
