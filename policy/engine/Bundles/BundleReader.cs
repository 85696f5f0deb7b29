using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Talos.Policy;

/// <summary>Reads the files of a bundle, from a directory or a tar.gz, within limits.</summary>
static class BundleReader
{
    // LIMIT: files in a bundle; the shipped one has fewer than 20.
    const int MaxFiles = 10_000;

    // LIMIT: unpacked size of a bundle; stops a compression bomb, and leaves room for large data documents.
    const long MaxBytes = 1L << 30;

    public static IReadOnlyList<BundleFile> Read(string path) => Sorted(path, () =>
    {
        if (Directory.Exists(path)) return ReadDirectory(path);
        if (!File.Exists(path)) throw new PolicyException("bundle_error", path, "there is no such bundle", "give a directory or a .tar.gz file");
        if (path.EndsWith(".rego", StringComparison.Ordinal))
            throw new PolicyException("bundle_error", path, "a module alone is no bundle", "give the directory that it lies in");
        using FileStream stream = File.OpenRead(path);
        return ReadArchive(stream, MaxBytes);
    });

    /// <summary>Reads a tar.gz.</summary>
    /// <param name="tarGz">The archive.</param>
    /// <param name="maxBytes">What it may hold unpacked.</param>
    public static IReadOnlyList<BundleFile> Read(ReadOnlyMemory<byte> tarGz, long maxBytes) => Sorted("", () =>
    {
        using var stream = new MemoryStream(tarGz.ToArray(), writable: false);
        return ReadArchive(stream, maxBytes);
    });

    /// <summary>The same files always give the same bytes.</summary>
    public static byte[] Pack(IReadOnlyList<BundleFile> files)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Ustar))
        {
            foreach (BundleFile file in files)
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, file.Path) { DataStream = new MemoryStream(file.Content), ModificationTime = DateTimeOffset.UnixEpoch });
        }
        return packed.ToArray();
    }

    static List<BundleFile> Sorted(string path, Func<List<BundleFile>> read)
    {
        List<BundleFile> files;
        try
        {
            files = read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            string why = e switch
            {
                EndOfStreamException => "the archive ends in the middle of a file",
                InvalidDataException => "it is not compressed by gzip, or damaged",
                _ => e.Message,
            };
            throw new PolicyException("bundle_error", path, $"the bundle cannot be read: {why}", "a bundle is a directory or a gzip-compressed tar");
        }
        files.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        for (int i = 1; i < files.Count; i++)
            if (files[i].Path == files[i - 1].Path) throw new PolicyException("bundle_error", files[i].Path, "the file appears twice in the bundle");
        return files;
    }

    public static string Revision(IReadOnlyList<BundleFile> files)
    {
        if (files.FirstOrDefault(f => f.Path == ".manifest") is { } manifest)
        {
            try
            {
                if (ValueJson.Parse(manifest.Content).Get("revision") is StringValue { Text: { Length: > 0 } named }) return named;
            }
            catch (JsonException e)
            {
                throw new PolicyException([PolicyError.OfJson(".manifest", e)]);
            }
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // What is signed keeps its name when it is signed again.
        foreach (BundleFile file in files.Where(f => f.Path != BundleSignature.FileName))
        {
            hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(file.Path)));
            hash.AppendData(SHA256.HashData(file.Content));
        }
        return "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    static List<BundleFile> ReadDirectory(string root)
    {
        var files = new List<BundleFile>();
        long total = 0;
        foreach (string path in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(root, path).Replace('\\', '/');
            if (!Belongs(name)) continue;
            total += new FileInfo(path).Length;
            Check(name, files.Count, total, MaxBytes);
            files.Add(new BundleFile(name, File.ReadAllBytes(path)));
        }
        return files;
    }

    static List<BundleFile> ReadArchive(Stream stream, long maxBytes)
    {
        var files = new List<BundleFile>();
        long total = 0;
        using var unpacked = new GZipStream(stream, CompressionMode.Decompress);
        using var tar = new TarReader(unpacked);
        while (tar.GetNextEntry() is { } entry)
        {
            // What a link leads to would depend on where the bundle is unpacked.
            if (entry.EntryType is TarEntryType.SymbolicLink or TarEntryType.HardLink && Belongs(entry.Name))
                throw new PolicyException("bundle_error", entry.Name, "the file is a link", "a bundle holds the files themselves");
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) || entry.DataStream is null) continue;
            string name = entry.Name;
            while (name.StartsWith("./", StringComparison.Ordinal) || name.StartsWith('/')) name = name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..];
            if (name.Split('/').Contains("..")) throw new PolicyException("bundle_error", entry.Name, "a path in the bundle leaves the bundle");
            if (!Belongs(name)) continue;
            total += entry.Length;
            Check(name, files.Count, total, maxBytes);
            var content = new byte[entry.Length];
            entry.DataStream.ReadExactly(content);
            files.Add(new BundleFile(name, content));
        }
        return files;
    }

    // OPA's bundle layout: policies, data documents, manifest and signatures; and what OPA's compiler adds, which we do not run and which is signed like the
    // rest. Everything else is ignored.
    static bool Belongs(string name)
    {
        string file = name[(name.LastIndexOf('/') + 1)..];
        return file.EndsWith(".rego", StringComparison.Ordinal) || file is "data.json" or "data.yaml" or "data.yml" or "plan.json"
            || file.EndsWith(".wasm", StringComparison.Ordinal) || name is ".manifest" or ".signatures.json";
    }

    static void Check(string name, int count, long total, long maxBytes)
    {
        if (count >= MaxFiles) throw new PolicyException("bundle_limit", name, $"the bundle has more than {MaxFiles} files");
        if (total > maxBytes) throw new PolicyException("bundle_limit", name, $"the bundle is larger than {maxBytes} bytes");
    }
}
