namespace Talos.Api.Server;

/// <summary>The pushed bundle on the state file system: after a power cut either the old or the new one.</summary>
static class KeptBundle
{
    const string Name = "bundle.tar.gz";

    /// <summary>Null when there is none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[]? Read(string folder) => DurableFile.ReadBytes(Path.Combine(folder, Name));

    public static void Write(string folder, ReadOnlySpan<byte> bundle)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        DurableFile.Write(Path.Combine(folder, Name), bundle);
    }

    public static void Remove(string folder)
    {
        if (Directory.Exists(folder)) File.Delete(Path.Combine(folder, Name));
    }
}
