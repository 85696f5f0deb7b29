using Microsoft.Win32.SafeHandles;

namespace Talos.Audit;

// The files of tlog-tiles below one directory. What is no longer needed is written anew under another name: before it takes a free inode, ext4
// looks at each that was freed in the last minutes (`recently_deleted`), and a log that makes and deletes some with every checkpoint would
// spend a third of its time there.
class TileStore(string directory)
{
    const string SpareFolder = "spare";

    // LIMIT: partial tiles of every level, their bundle, a checkpoint; twice.
    const int MaxSpares = 24;

    readonly Lock _gate = new();
    readonly Stack<string> _spares = new();
    int _sparesMade;
    bool _recycles;

    internal string Directory { get; } = directory;

    // For who has the directory for himself; everybody else makes and deletes files.
    internal void Recycle()
    {
        DirectoryInfo spares = System.IO.Directory.CreateDirectory(PathOf(SpareFolder));
        // One of them may be a second name of the checkpoint, if the last process was killed between two steps of a replacement.
        foreach (FileInfo left in spares.EnumerateFiles()) left.Delete();
        _recycles = true;
    }

    internal string PathOf(string relative) => Path.Combine(Directory, relative);

    internal virtual void Write(string relative, ReadOnlySpan<byte> data)
    {
        string path = PathOf(relative);
        try
        {
            WriteTo(path, data);
        }
        catch (DirectoryNotFoundException)
        {
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            WriteTo(path, data);
        }
    }

    void WriteTo(string path, ReadOnlySpan<byte> data)
    {
        if (TakeSpare() is not { } spare)
        {
            Fill(path, data);
            return;
        }
        try
        {
            Fill(spare, data);
            File.Move(spare, path, overwrite: true);
        }
        catch (IOException)
        {
            KeepSpare(spare);
            throw;
        }
    }

    // Not truncated first: ext4 writes a truncated file out when it is closed ("auto_da_alloc").
    static void Fill(string path, ReadOnlySpan<byte> data)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        RandomAccess.Write(file, data, 0);
        if (RandomAccess.GetLength(file) != data.Length) RandomAccess.SetLength(file, data.Length);
    }

    // The file is gone from its place; what held it is written anew some time.
    internal void Retire(string relative)
    {
        if (NewSpare() is not { } spare)
        {
            Delete(relative);
            return;
        }
        try
        {
            File.Move(PathOf(relative), spare);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return;
        }
        KeepSpare(spare);
    }

    string? TakeSpare()
    {
        lock (_gate) return _spares.TryPop(out string? spare) ? spare : null;
    }

    void KeepSpare(string spare)
    {
        lock (_gate) _spares.Push(spare);
    }

    // A name for one more; null when there are enough.
    string? NewSpare()
    {
        lock (_gate)
        {
            if (!_recycles || _spares.Count >= MaxSpares) return null;
            return PathOf(Path.Combine(SpareFolder, (++_sparesMade).ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }
    }

    internal void Sync(string relative)
    {
        using SafeFileHandle file = OpenToSync(relative);
        RandomAccess.FlushToDisk(file);
    }

    // For a file that is complete, to be synced and let go of.
    internal SafeFileHandle OpenToSync(string relative) =>
        File.OpenHandle(PathOf(relative), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);

    // The whole old content or the whole new one, on disk when the call returns.
    internal void Replace(string relative, ReadOnlySpan<byte> data)
    {
        string fresh = relative + ".new";
        Write(fresh, data);
        Sync(fresh);
        if (!File.Exists(PathOf(relative)) || NewSpare() is not { } spare)
        {
            File.Move(PathOf(fresh), PathOf(relative), overwrite: true);
            return;
        }
        // The former file gets a second name before it loses its own.
        File.Replace(PathOf(fresh), PathOf(relative), spare);
        KeepSpare(spare);
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
