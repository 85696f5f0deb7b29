using Talos.Checks.Yaml;

namespace Talos.Checks.Probes;

/// <summary>A YAML file of the target, with its documents.</summary>
sealed record YamlFile(ReadingState State, IReadOnlyList<YamlNode> Documents, string Reason)
{
    public static YamlFile Read(RootFiles files, string path)
    {
        var read = files.ReadText(path, YamlText.MaxLength);
        if (read.State != ReadingState.Present) return new(read.State, [], read.Reason);
        var parsed = YamlText.Parse(read.Text, path);
        return parsed.Value is { } documents
            ? new(ReadingState.Present, documents, "")
            : new(ReadingState.Unreadable, [], $"line {parsed.Errors[0].Line}: {parsed.Errors[0].Message}");
    }

    /// <summary>
    /// The value at a dotted path, of the first document that has one. Lists on the way are gone through item by item; several values are
    /// joined with commas, and a mapping at the end stands for its keys.
    /// </summary>
    public string? Find(string key)
    {
        foreach (var document in Documents)
        {
            var found = new List<string>();
            Collect(document, key.Split('.'), 0, found);
            if (found.Count > 0) return string.Join(',', found);
        }
        return null;
    }

    static void Collect(YamlNode node, string[] path, int depth, List<string> found)
    {
        switch (node)
        {
            case YamlList list:
                foreach (var item in list.Items) Collect(item, path, depth, found);
                break;
            case YamlMap map when depth < path.Length:
                if (map[path[depth]] is { } child) Collect(child, path, depth + 1, found);
                break;
            case YamlMap map:
                found.AddRange(map.Entries.Select(e => e.Key.Value));
                break;
            case YamlScalar { IsNull: false } scalar when depth == path.Length:
                found.Add(scalar.Value);
                break;
        }
    }
}

static class YamlProbes
{
    public static Reading Value(FactStore facts, IReadOnlyList<string> arguments)
    {
        var path = arguments[0];
        if (PathArgument.Resolve(facts, ref path) is { } none) return none;
        return Of(facts, path, arguments[1]);
    }

    public static Reading Of(FactStore facts, string path, string key)
    {
        var file = facts.Yaml(path);
        if (file.State == ReadingState.Unreadable) return Reading.Unreadable(path, file.Reason);
        return file.Find(key) is { } value ? Reading.Of(value, $"{path} ({key})") : Reading.Absent(path);
    }
}
