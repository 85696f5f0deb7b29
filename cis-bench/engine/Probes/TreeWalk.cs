using System.Globalization;
using Talos.Linux;
using Path = System.IO.Path;

namespace Talos.Checks.Probes;

/// <param name="Interpreter">The program of a `#!` line; empty when there is none.</param>
/// <param name="Traits">Null for what is not an ELF file.</param>
sealed record TreeEntry(string Path, FileStatus Status, string Interpreter, ElfTraits? Traits, string KnownInterpreter, bool HasCapabilities)
{
    public bool Has(int permission) => (Status.Permissions & permission) != 0;

    public string Name => System.IO.Path.GetFileName(Path);
}

/// <summary>Every file below the root, looked at once. On a running machine what is no file system of the machine's own is left out.</summary>
sealed class TreeWalk
{
    // LIMIT: a full server distribution has 150,000 files; a Talos root has 40.
    const int MaxEntries = 400_000;

    // LIMIT: a list that long is no finding that anybody reads; what has no trait at all is not kept.
    public const int MaxMatches = 20_000;

    const int ErrNoEntry = 2;

    // LIMIT: an image's executable is read whole to look for what its headers cannot tell; the largest of ours has 30 MB.
    const int MaxExecutable = 256 << 20;

    // Not the machine's own files: the kernel's views, and the roots of containers, which are mounted nosuid and judged by admission.
    static readonly string[] s_skippedOnNodes =
        ["/proc", "/sys", "/dev", "/run/containerd", "/var/lib/containerd", "/var/lib/kubelet/pods", "/run/netns", "/run/systemd"];

    readonly FactStore _facts;
    readonly RootFiles _files;
    readonly bool _isNode;
    readonly Dictionary<string, List<TreeEntry>> _matches = new(StringComparer.Ordinal);
    int _entries;
    string _trouble = "";
    string _contentTrouble = "";

    TreeWalk(FactStore facts, bool isNode) => (_facts, _files, _isNode) = (facts, facts.Files, isNode);

    /// <summary>The files that have a trait, in the order of the tree; null when they are too many to be kept.</summary>
    public IReadOnlyList<TreeEntry>? With(string trait) =>
        _matches.TryGetValue(trait, out var entries) ? entries.Count <= MaxMatches ? entries : null : [];

    /// <summary>Why the walk is not complete; empty when it is.</summary>
    public string Trouble => _trouble;

    /// <summary>Why files' contents are not all known, though every file is; empty when they are.</summary>
    public string ContentTrouble => _contentTrouble;

    public static TreeWalk Run(FactStore facts, bool isNode)
    {
        var walk = new TreeWalk(facts, isNode);
        if (facts.Files.Root is null) walk._trouble = "there is no root to read from";
        else walk.Visit("/");
        return walk;
    }

    void Visit(string directory)
    {
        if (_trouble.Length > 0) return;
        string[] names;
        try
        {
            names = [.. Directory.EnumerateFileSystemEntries(Host(directory)).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Stop($"`{directory}` cannot be listed: {Reason(e)}");
            return;
        }
        foreach (var name in names)
        {
            var path = directory == "/" ? $"/{name}" : $"{directory}/{name}";
            if (_isNode && s_skippedOnNodes.Contains(path)) continue;
            var errno = FileStatus.TryRead(Host(path), false, out var status);
            // A file that went away while its directory was read is no part of the tree.
            if (errno == ErrNoEntry) continue;
            if (errno != 0) Stop($"`{path}` cannot be looked at: error {errno.ToString(CultureInfo.InvariantCulture)}");
            if (++_entries > MaxEntries) Stop($"the tree has more than {MaxEntries.ToString(CultureInfo.InvariantCulture)} files");
            if (_trouble.Length > 0) return;
            Add(path, status);
            if (status.Kind == FileKind.Directory) Visit(path);
        }
    }

    // The walk follows no link, so a path of the tree is a path below the root as it stands.
    string Host(string path) => _files.Root == "/" ? path : _files.Root + path;

    static string Reason(Exception e) => e is UnauthorizedAccessException ? "access is denied" : e.Message.TrimEnd('.');

    void Add(string path, FileStatus status)
    {
        var entry = new TreeEntry(path, status, "", null, "", false);
        // On a running machine only what can be executed is opened; in an image every file is.
        if (status.Kind == FileKind.Regular && (!_isNode || (status.Permissions & 0x49) != 0)) entry = Open(entry);
        foreach (var trait in TreeProbes.Of(_facts, entry))
        {
            if (!_matches.TryGetValue(trait, out var entries)) _matches.Add(trait, entries = []);
            // One more than can be told: that is how the list shows that it is not complete.
            if (entries.Count <= MaxMatches) entries.Add(entry);
        }
    }

    TreeEntry Open(TreeEntry entry)
    {
        var host = Host(entry.Path);
        if (FileStatus.TryHasAttribute(host, "security.capability", out var capable) is not 0 and var errno)
            return Unknown(entry, $"error {errno.ToString(CultureInfo.InvariantCulture)} when its attributes were read");
        entry = entry with { HasCapabilities = capable };
        try
        {
            using var file = File.OpenHandle(host, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> start = stackalloc byte[128];
            start = start[..RandomAccess.Read(file, start, 0)];
            if (!ElfFile.IsElf(start)) return entry with { Interpreter = Interpreters.OfScript(start) };
            if (ElfFile.Read(file, entry.Status.Size, out var trouble) is not { } traits) return Unknown(entry, trouble);
            if (_isNode) return entry with { Traits = traits };
            if (entry.Status.Size > MaxExecutable) return Unknown(entry, $"it has {entry.Status.Size.ToString(CultureInfo.InvariantCulture)} bytes");
            var content = new byte[entry.Status.Size];
            var length = RandomAccess.Read(file, content, 0);
            if (!ElfFile.HasCanary(content.AsSpan(0, length))) traits |= ElfTraits.NoCanary;
            return entry with { Traits = traits, KnownInterpreter = Interpreters.OfContent(content.AsSpan(0, length)) };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Unknown(entry, Reason(e));
        }
    }

    TreeEntry Unknown(TreeEntry entry, string reason)
    {
        if (_contentTrouble.Length == 0) _contentTrouble = $"`{entry.Path}` cannot be judged: {reason}";
        return entry;
    }

    void Stop(string trouble)
    {
        if (_trouble.Length == 0) _trouble = trouble;
    }
}
