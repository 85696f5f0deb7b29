namespace Talos.Image;

/// <summary>
/// The tree that becomes the root file system. Nothing gets in but what is named here: the static files, the executables of
/// the node, the policy, and empty folders for init to mount on.
/// </summary>
sealed class RootTree
{
    const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute |
        UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
    const UnixFileMode ExecutableMode = FolderMode;
    const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>The node's executables, as they are called in <c>/sbin</c>.</summary>
    public static IReadOnlyList<string> Executables { get; } = ["init", ServiceExecutable];

    /// <summary>The services are one executable, which asks by which name it was started (docs/decisions/0023-one-executable.md).</summary>
    const string ServiceExecutable = "talosd";

    static readonly IReadOnlyList<string> ServiceNames = ["machined", "osd", "trustd"];

    static readonly IReadOnlyList<string> MountPoints = ["dev", "proc", "run", "state", "sys", "tmp", "var"];

    // Names that OPA's bundle format prescribes. No other hidden file gets in: os/waivers.yaml relies on it.
    static readonly IReadOnlyList<string> HiddenNames = [".manifest", ".signatures.json"];

    RootTree(string folder) => Folder = folder;

    /// <summary>The folder that holds the tree.</summary>
    public string Folder { get; }

    /// <summary>Assembles the tree in <paramref name="folder"/>, which is emptied first.</summary>
    /// <exception cref="ImageException">A source is missing, or is something that must not be in an image.</exception>
    public static RootTree Assemble(ImageSources sources, string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        MakeFolder(folder);
        CopyFolder(sources.RootFiles, folder);
        foreach (var name in MountPoints) MakeFolder(Path.Combine(folder, name));
        MakeFolder(Path.Combine(folder, "sbin"));
        foreach (var name in Executables) CopyExecutable(Path.Combine(sources.Executables, name), Path.Combine(folder, "sbin", name));
        foreach (var name in ServiceNames) File.CreateSymbolicLink(Path.Combine(folder, "sbin", name), ServiceExecutable);
        CopyFolder(sources.Policy, Path.Combine(folder, "etc/talos/policy"));
        CopyFile(sources.Waivers, Path.Combine(folder, "etc/talos/waivers.yaml"));
        CopyFile(sources.WaiverSigners, Path.Combine(folder, "etc/talos/waiver-signers.pem"));
        WriteFile(Path.Combine(folder, "etc/os-release"), $"""
            NAME=Talos
            ID=talos
            VERSION_ID={sources.Version}
            PRETTY_NAME="Talos {sources.Version}"

            """);
        return new RootTree(folder);
    }

    /// <summary>Everything in the tree, folders before what is in them, in the order of their bytes.</summary>
    public IEnumerable<RootTreeEntry> Entries() =>
        Directory.EnumerateFileSystemEntries(Folder, "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(path => RootTreeEntry.Read(Folder, path));

    static void CopyFolder(string source, string destination)
    {
        if (!Directory.Exists(source)) throw new ImageException($"the folder `{source}` does not exist");
        MakeFolder(destination);
        foreach (var path in Directory.EnumerateFileSystemEntries(source).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(path);
            if (name[0] == '.' && !HiddenNames.Contains(name))
                throw new ImageException($"`{path}` is hidden", "take it away or give it another name");
            var target = Path.Combine(destination, name);
            if (File.ResolveLinkTarget(path, returnFinalTarget: false) is not null)
                File.CreateSymbolicLink(target, new FileInfo(path).LinkTarget!);
            else if (Directory.Exists(path))
                CopyFolder(path, target);
            else
                CopyFile(path, target);
        }
    }

    static void CopyFile(string source, string destination)
    {
        if ((File.GetUnixFileMode(source) & (UnixFileMode.SetUser | UnixFileMode.SetGroup)) != 0)
        {
            throw new ImageException($"`{source}` would run with the rights of its owner",
                "remove its set-user-id bit; a node has no such program");
        }
        File.Copy(source, destination);
        File.SetUnixFileMode(destination, FileMode);
    }

    static void CopyExecutable(string source, string destination)
    {
        if (!File.Exists(source))
            throw new ImageException($"the executable `{source}` does not exist", "publish the node's executables first: build/node.sh");
        var problem = StaticExecutable.Inspect(source);
        if (problem is not null) throw new ImageException($"the executable `{source}` {problem}", "publish it with -p:MuslStatic=true");
        CopyFile(source, destination);
        File.SetUnixFileMode(destination, ExecutableMode);
    }

    static void MakeFolder(string path)
    {
        Directory.CreateDirectory(path);
        // The builder's umask has no say in what is on a node.
        File.SetUnixFileMode(path, FolderMode);
    }

    static void WriteFile(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, FileMode);
    }
}
