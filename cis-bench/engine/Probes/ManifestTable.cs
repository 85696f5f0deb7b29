using Talos.Checks.Yaml;

namespace Talos.Checks.Probes;

/// <summary>The commands of the static pods' containers: what the kubelet will start for the control plane.</summary>
sealed class ManifestTable
{
    public const string Folder = "/etc/kubernetes/manifests";

    public IReadOnlyList<(string Source, IReadOnlyList<string> Command)> Containers { get; private init; } = [];

    public string Trouble { get; private init; } = "";

    public static ManifestTable Read(RootFiles files)
    {
        if (files.List(Folder, out var names, out var reason) == ReadingState.Unreadable) return new() { Trouble = reason };
        var containers = new List<(string, IReadOnlyList<string>)>();
        foreach (var path in names.Where(n => n.EndsWith(".yaml", StringComparison.Ordinal) || n.EndsWith(".json", StringComparison.Ordinal)).Select(n => $"{Folder}/{n}"))
        {
            var file = YamlFile.Read(files, path);
            if (file.State == ReadingState.Unreadable) return new() { Trouble = $"{path}: {file.Reason}" };
            foreach (var pod in file.Documents.OfType<YamlMap>())
                if ((pod["spec"] as YamlMap)?["containers"] is YamlList list)
                    containers.AddRange(list.Items.OfType<YamlMap>().Select(c => (path, (IReadOnlyList<string>)[.. Words(c["command"]), .. Words(c["args"])])));
        }
        return new() { Containers = containers };
    }

    static IEnumerable<string> Words(YamlNode? node) => node is YamlList list ? list.Items.OfType<YamlScalar>().Select(s => s.Value) : [];
}
