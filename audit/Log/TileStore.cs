using Microsoft.Win32.SafeHandles;

namespace Talos.Audit;

// The files of tlog-tiles below one directory.
class TileStore(string directory)
{
    internal string Directory { get; } = directory;

    internal string PathOf(string relative) => Path.Combine(Directory, relative);

    internal virtual void Write(string relative, ReadOnlySpan<byte> data)
    {
        string path = PathOf(relative);
        SafeFileHandle file;
        try
        {
            file = Create(path);
        }
        catch (DirectoryNotFoundException)
        {
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            file = Create(path);
        }
        using (file)
        {
            RandomAccess.Write(file, data, 0);
            if (RandomAccess.GetLength(file) != data.Length) RandomAccess.SetLength(file, data.Length);
        }
    }

    // Not truncated first, new as it mostly is: ext4 writes a truncated file out when it is closed ("auto_da_alloc").
    static SafeFileHandle Create(string path) => File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);

    internal void Sync(string relative)
    {
        using SafeFileHandle file = File.OpenHandle(PathOf(relative), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        RandomAccess.FlushToDisk(file);
    }

    // The whole old content or the whole new one, on disk when the call returns.
    internal void Replace(string relative, ReadOnlySpan<byte> data)
    {
        string fresh = relative + ".new";
        Write(fresh, data);
        Sync(fresh);
        File.Move(PathOf(fresh), PathOf(relative), overwrite: true);
    }

    // Null when there is no such file. LIMIT: 8 MiB; the largest file here is a bundle of 256 entries of 16 KiB.
    internal virtual byte[]? TryRead(string relative)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(
                PathOf(relative), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            long length = RandomAccess.GetLength(file);
            if (length > 8 * 1024 * 1024) return null;
            byte[] data = new byte[length];
            int read = 0;
            for (int got; read < data.Length && (got = RandomAccess.Read(file, data.AsSpan(read), read)) > 0;) read += got;
            return read == data.Length ? data : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    internal void Delete(string relative)
    {
        try
        {
            File.Delete(PathOf(relative));
        }
        catch (DirectoryNotFoundException)
        {
            // Gone with its directory.
        }
    }

    internal byte[]? TryReadHashes(int level, ulong index, int width = TilePath.Width)
    {
        byte[]? tile = TryRead(TilePath.Hashes(level, index, width));
        return tile?.Length == width * TreeHash.Size ? tile : null;
    }
}
