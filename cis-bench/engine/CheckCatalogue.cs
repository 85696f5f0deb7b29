using System.Reflection;

namespace Talos.Checks;

/// <summary>
/// A file of checks. The format is described in docs/design/compliance.md; a user's own catalogues are in the same format as the shipped ones.
/// </summary>
public sealed partial class CheckCatalogue
{
    CheckCatalogue(string id, string title, string version, string source, IReadOnlyList<Check> checks)
    {
        Id = id;
        Title = title;
        Version = version;
        Source = source;
        Checks = checks;
    }

    public string Id { get; }

    public string Title { get; }

    public string Version { get; }

    /// <summary>The document that the demands come from.</summary>
    public string Source { get; }

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<Check> Checks { get; }

    public Check? Find(string id) => Checks.FirstOrDefault(c => c.Id == id);

    /// <summary>Reads a catalogue. Every error of the file is reported, each with line and column.</summary>
    /// <param name="text">The YAML text.</param>
    /// <param name="file">What to call the file in errors.</param>
    public static Parsed<CheckCatalogue> Parse(string text, string file) => new CatalogueReader(file).Read(text);

    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static Parsed<CheckCatalogue> Load(string path)
    {
        var length = new FileInfo(path).Length;
        return length > Yaml.YamlText.MaxLength
            ? new([new SourceError(path, 1, 1, $"the file has {length} bytes, more than {Yaml.YamlText.MaxLength}")])
            : Parse(File.ReadAllText(path), path);
    }

    /// <summary>A catalogue that ships inside an assembly.</summary>
    /// <exception cref="InvalidDataException">The resource is missing or malformed: a defect of the build.</exception>
    public static CheckCatalogue RequireEmbedded(Assembly assembly, string resource)
    {
        using var stream = assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidDataException($"the assembly has no resource `{resource}`");
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd(), resource).Require();
    }

    internal static CheckCatalogue Recorded(RecordedCatalogue told, IReadOnlyList<Check> checks) => new(told.Id, told.Title, told.Version, told.Source, checks);

    /// <summary>One catalogue out of several files that share id and title.</summary>
    public static CheckCatalogue Join(IReadOnlyList<CheckCatalogue> parts)
    {
        var first = parts[0];
        var checks = parts.SelectMany(p => p.Checks).ToArray();
        var twice = checks.GroupBy(c => c.Id).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null) throw new InvalidDataException($"two files define `{twice.Key}`");
        if (parts.Any(p => p.Id != first.Id)) throw new InvalidDataException($"a file of another catalogue cannot join `{first.Id}`");
        return new(first.Id, first.Title, first.Version, first.Source, checks);
    }
}
