using System.Text.Json;
using System.Text.Json.Nodes;

namespace Talos.Cluster;

/// <summary>What runs of a cluster: kept in its folder, so that another invocation finds it.</summary>
public sealed class ClusterRecord
{
    readonly SortedDictionary<string, NodeProcess> _processes = new(StringComparer.Ordinal);

    ClusterRecord(ClusterPlan plan, int firstPort) => (Plan, FirstPort) = (plan, firstPort);

    /// <summary>The nodes.</summary>
    public ClusterPlan Plan { get; }

    internal int FirstPort { get; }

    static string FileIn(string folder) => Path.Combine(folder, "cluster.json");

    /// <summary>A record for a plan; processes of an earlier record of the same folder are kept.</summary>
    /// <exception cref="ClusterException">The folder holds another cluster.</exception>
    public static ClusterRecord Open(ClusterPlan plan)
    {
        var record = new ClusterRecord(plan, plan.Nodes[0].Api.Port);
        if (TryLoad(plan.Folder) is not { } earlier) return record;
        if (earlier.Plan.Provisioner != plan.Provisioner || earlier.Plan.Name != plan.Name || earlier.FirstPort != record.FirstPort)
            throw new ClusterException($"`{plan.Folder}` holds cluster `{earlier.Plan.Name}` of provisioner {Word(earlier.Plan.Provisioner)} at port {earlier.FirstPort}", "`osctl cluster destroy` removes it");
        foreach (var (name, process) in earlier._processes) record._processes[name] = process;
        return record;
    }

    /// <summary>The record in a folder, or null when there is none.</summary>
    /// <exception cref="ClusterException">The file is no record.</exception>
    public static ClusterRecord? TryLoad(string folder)
    {
        var path = FileIn(folder);
        if (!File.Exists(path)) return null;
        try
        {
            var tree = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
            var provisioner = (string?)tree["provisioner"] == "qemu" ? Provisioner.Qemu : Provisioner.Process;
            var plan = ClusterPlan.Create((string)tree["name"]!, provisioner, folder, (int)tree["nodes"]!, (int)tree["first_port"]!);
            var record = new ClusterRecord(plan, (int)tree["first_port"]!);
            foreach (var (name, process) in tree["processes"]!.AsObject())
                record._processes[name] = new NodeProcess((int)process!["id"]!, (long)process["start_ticks"]!, (string)process["boot_id"]!);
            return record;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new ClusterException($"`{path}` cannot be read: {e.Message}", "stop its processes by hand and remove the folder");
        }
    }

    /// <summary>The node's process, if it runs.</summary>
    public NodeProcess? Running(PlannedNode node) => _processes.TryGetValue(node.Name, out var process) && process.IsAlive ? process : null;

    internal void Started(PlannedNode node, NodeProcess process)
    {
        _processes[node.Name] = process;
        Save();
    }

    void Save()
    {
        var processes = new JsonObject();
        foreach (var (name, p) in _processes) processes[name] = new JsonObject { ["id"] = p.Id, ["start_ticks"] = p.StartTicks, ["boot_id"] = p.BootId };
        var tree = new JsonObject
        {
            ["name"] = Plan.Name,
            ["provisioner"] = Word(Plan.Provisioner),
            ["nodes"] = Plan.Nodes.Count,
            ["first_port"] = FirstPort,
            ["processes"] = processes,
        };
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true })) tree.WriteTo(writer);
        var draft = FileIn(Plan.Folder) + ".new";
        File.WriteAllBytes(draft, buffer.ToArray());
        File.Move(draft, FileIn(Plan.Folder), overwrite: true);
    }

    /// <summary>Stops every node of the cluster, workers first, and nothing else.</summary>
    public async Task StopAsync(TimeProvider time, CancellationToken cancellation)
    {
        foreach (var node in Plan.Nodes.Reverse())
        {
            if (_processes.TryGetValue(node.Name, out var process)) await process.StopAsync(TimeSpan.FromSeconds(15), time, cancellation);
        }
    }

    /// <summary>Removes the cluster's folder. Its nodes have to be stopped.</summary>
    /// <exception cref="ClusterException">A node still runs.</exception>
    public void Remove()
    {
        if (Plan.Nodes.FirstOrDefault(n => Running(n) is not null) is { } alive) throw new ClusterException($"`{alive.Name}` still runs");
        if (Directory.Exists(Plan.Folder)) Directory.Delete(Plan.Folder, recursive: true);
    }

    internal static string Word(Provisioner provisioner) => provisioner switch
    {
        Provisioner.Unspecified => "unspecified",
        Provisioner.Process => "process",
        Provisioner.Qemu => "qemu",
    };
}
