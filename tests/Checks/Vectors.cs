using System.IO.Compression;

namespace Talos.Checks.Tests;

/// <summary>Files under tests/vectors/checks.</summary>
static class Vectors
{
    public static string Root { get; } = Path.Combine(RepositoryRoot(), "tests", "vectors", "checks");

    public static string Of(params string[] parts) => Path.Combine([Root, .. parts]);

    public static string OfRepository(string path) => Path.Combine(RepositoryRoot(), path);

    public static string Unpack(string path)
    {
        using var file = File.OpenRead(path);
        using var unpacked = new GZipStream(file, CompressionMode.Decompress);
        using var reader = new StreamReader(unpacked);
        return reader.ReadToEnd();
    }

    static string RepositoryRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (File.Exists(Path.Combine(directory.FullName, "Talos.sln"))) return directory.FullName;
        throw new InvalidOperationException("the tests run outside the repository");
    }
}
