using Talos.Api.Configuration;
using Talos.Api.Machine.V1;

namespace Talos.Cluster;

/// <summary>Which nodes a cluster on one machine has, and where each answers.</summary>
public sealed class ClusterPlan
{
    // LIMIT: ports of workers are ten apart; more nodes than this do not run on one machine.
    const int MaxNodes = 32;

    ClusterPlan(string name, Provisioner provisioner, string folder, IReadOnlyList<PlannedNode> nodes) =>
        (Name, Provisioner, Folder, Nodes) = (name, provisioner, folder, nodes);

    /// <summary>The cluster's name and trust domain.</summary>
    public string Name { get; }

    /// <summary>What its nodes are.</summary>
    public Provisioner Provisioner { get; }

    /// <summary>Where everything of the cluster lies; absolute.</summary>
    public string Folder { get; }

    /// <summary>The control plane, then the workers.</summary>
    public IReadOnlyList<PlannedNode> Nodes { get; }

    /// <summary>Where the control plane's trustd answers from this machine.</summary>
    public Endpoint Trustd => Nodes[0].Trustd!;

    /// <summary>Where nodes reach trustd: QEMU's user network shows this machine as 10.0.2.2.</summary>
    public Endpoint TrustdFromNodes => Provisioner == Provisioner.Qemu ? Trustd with { Host = Gateway } : Trustd;

    /// <summary>Where nodes reach the API of the control plane.</summary>
    public Endpoint ControlPlaneFromNodes => Provisioner == Provisioner.Qemu ? Nodes[0].Api with { Host = Gateway } : Nodes[0].Api;

    internal const string Gateway = "10.0.2.2";

    /// <summary>Plans <paramref name="nodes"/> nodes, the first of them the control plane.</summary>
    /// <exception cref="ClusterException">There are too few or too many, or the ports do not suffice.</exception>
    public static ClusterPlan Create(string name, Provisioner provisioner, string folder, int nodes, int firstPort = 50000)
    {
        if (nodes is < 1 or > MaxNodes) throw new ClusterException($"a cluster on one machine has 1 to {MaxNodes} nodes, not {nodes}");
        if (firstPort is < 1 or > 65535 - MaxNodes * 10) throw new ClusterException($"port {firstPort} leaves no room for the nodes' ports");
        var root = Path.GetFullPath(folder);
        var planned = Enumerable.Range(0, nodes).Select(i => i == 0
            ? new PlannedNode("cp-1", MachineType.Controlplane, new Endpoint("127.0.0.1", firstPort), new Endpoint("127.0.0.1", firstPort + 1), Path.Combine(root, "cp-1"))
            : new PlannedNode($"worker-{i}", MachineType.Worker, new Endpoint("127.0.0.1", firstPort + 10 * i), null, Path.Combine(root, $"worker-{i}")));
        return new ClusterPlan(name, provisioner, root, [.. planned]);
    }
}

/// <summary>One node of a plan.</summary>
/// <param name="Name">Its host name.</param>
/// <param name="Type">What it is for.</param>
/// <param name="Api">Where its API answers from this machine.</param>
/// <param name="Trustd">Where its trustd answers from this machine; null for workers.</param>
/// <param name="Folder">Where its files lie.</param>
public sealed record PlannedNode(string Name, MachineType Type, Endpoint Api, Endpoint? Trustd, string Folder)
{
    /// <summary>The machine configuration it is given.</summary>
    public string ConfigurationFile => Path.Combine(Folder, "machine.yaml");

    /// <summary>What it writes to its console.</summary>
    public string ConsoleFile => Path.Combine(Folder, "console.log");
}
