using System.Net;
using Talos.Api.Configuration;
using Talos.Api.Machine.V1;

namespace Talos.Cluster;

/// <summary>Machine configurations for a new cluster.</summary>
public static class ClusterDocuments
{
    /// <summary>A control plane that knows these tokens from its first start.</summary>
    public static MachineConfiguration ControlPlane(string cluster, string hostName, IReadOnlyList<BootstrapToken> tokens, IReadOnlyList<string> certificateNames) => new()
    {
        Cluster = cluster,
        Machine = Machine(MachineType.Controlplane, hostName, certificateNames),
        Trust = new TrustSection { Bootstrap = tokens },
    };

    /// <summary>A worker that joins through these endpoints with this token and exchanges signatures of its record with these nodes.</summary>
    public static MachineConfiguration Worker(
        string cluster, string hostName, IReadOnlyList<Endpoint> trustd, IReadOnlyList<Endpoint> witnesses, TokenSecret token, IReadOnlyList<string> certificateNames) => new()
        {
            Cluster = cluster,
            Machine = Machine(MachineType.Worker, hostName, certificateNames),
            Trust = new TrustSection { Endpoints = trustd, Token = token },
            Audit = new AuditSection { Witnesses = witnesses },
        };

    /// <summary>Names that a node on this machine needs in its certificate besides its own: the loopback address, and how guests see this machine.</summary>
    public static IReadOnlyList<string> LocalNames(ClusterPlan plan, PlannedNode node) =>
        plan.Provisioner == Provisioner.Qemu && node.Type == MachineType.Controlplane ? ["127.0.0.1", ClusterPlan.Gateway] : ["127.0.0.1"];

    /// <summary>Addresses that a node on this machine may ask for: loopback, and QEMU's user network.</summary>
    public static IReadOnlyList<IPNetwork> LocalNetworks { get; } = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("10.0.2.0/24")];

    static MachineSection Machine(MachineType type, string hostName, IReadOnlyList<string> certificateNames) => new()
    {
        Type = type,
        HostName = hostName,
        Network = new NetworkSection { Interfaces = [new InterfaceSection { Name = "eth0", Dhcp = true }] },
        CertificateNames = certificateNames,
    };
}
