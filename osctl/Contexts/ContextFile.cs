using Talos.Api.Configuration;

namespace Talos.Osctl.Contexts;

/// <summary>The file of contexts: 0600 in a folder of 0700, replaced as a whole, so that a crash leaves the old or the new one.</summary>
sealed class ContextFile
{
    const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    const UnixFileMode PrivateFolder = PrivateFile | UnixFileMode.UserExecute;

    ContextFile(string path, ClientConfiguration content) => (Path, Content) = (path, content);

    public string Path { get; }

    public ClientConfiguration Content { get; private set; }

    /// <summary>`--talosconfig`, then TALOSCONFIG, then ~/.talos/config.</summary>
    public static string Locate(string? option, Terminal terminal)
    {
        if (!string.IsNullOrEmpty(option)) return System.IO.Path.GetFullPath(option);
        if (terminal.Environment("TALOSCONFIG") is { Length: > 0 } variable) return System.IO.Path.GetFullPath(variable);
        var home = terminal.Environment("HOME") is { Length: > 0 } given ? given : throw new OsctlException("HOME is not set", "give `--talosconfig FILE`");
        return System.IO.Path.Combine(home, ".talos", "config");
    }

    /// <summary>Reads the file; one that is not there holds no contexts.</summary>
    public static ContextFile Load(string path)
    {
        if (!File.Exists(path)) return new ContextFile(path, new ClientConfiguration());
        if (!ClientConfiguration.Parse(ReadText(path), path).TryGet(out var content, out var errors)) throw new OsctlException(errors);
        return new ContextFile(path, content);
    }

    public static string ReadText(string path)
    {
        // LIMIT: larger than any document; refuses a device or a log given by mistake.
        const long maxLength = 1 << 20;
        if (new FileInfo(path) is { Exists: true, Length: > maxLength }) throw new OsctlException($"`{path}` is larger than {maxLength} bytes");
        return File.ReadAllText(path);
    }

    /// <summary>Whether others than the owner may read the private keys in it.</summary>
    public bool IsExposed => File.Exists(Path) && (File.GetUnixFileMode(Path) & ~PrivateFolder) != 0;

    public void Save(ClientConfiguration content)
    {
        Content = content;
        WritePrivate(Path, content.ToYaml());
    }

    /// <summary>Writes a file that only its owner may read; never for an instant otherwise.</summary>
    public static void WritePrivate(string path, string text)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        if (!Directory.Exists(folder)) Directory.CreateDirectory(folder, PrivateFolder);
        var draft = $"{path}.{Environment.ProcessId}.new";
        using (var stream = new FileStream(draft, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = PrivateFile }))
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }
        File.Move(draft, path, overwrite: true);
    }

    public ClientConfiguration With(string name, ClientContext context, bool makeCurrent)
    {
        var contexts = new SortedDictionary<string, ClientContext>(Content.Contexts.ToDictionary(), StringComparer.Ordinal) { [name] = context };
        return new ClientConfiguration { Current = makeCurrent || Content.Current.Length == 0 ? name : Content.Current, Contexts = contexts };
    }

    public ClientConfiguration Without(string name)
    {
        var contexts = new SortedDictionary<string, ClientContext>(Content.Contexts.ToDictionary(), StringComparer.Ordinal);
        contexts.Remove(name);
        return new ClientConfiguration { Current = Content.Current == name ? "" : Content.Current, Contexts = contexts };
    }
}
