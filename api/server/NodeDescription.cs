using Talos.Policy;

namespace Talos.Api.Server;

/// <summary>The node that a server speaks for, as policy and the record name it.</summary>
/// <param name="cluster">The SPIFFE trust domain; peers of another one are refused.</param>
/// <param name="name">Host name.</param>
/// <param name="role">`controlplane` or `worker`.</param>
public sealed class NodeDescription(string cluster, string name, string role)
{
    readonly Lock gate = new();
    volatile AuthorizationNode? known;

    public string Cluster { get; } = cluster;

    public string Name { get; } = name;

    public string Role { get; } = role;

    /// <summary>The machine configuration's labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>What rules see as `input.node`.</summary>
    public AuthorizationNode ForPolicy() => known ??= new AuthorizationNode { Name = Name, Role = Role, Labels = Labels };

    /// <summary>Tells rules what was learnt of the node since: its attestation, its compliance. Calls decided from now on see it.</summary>
    public void Learn(Func<AuthorizationNode, AuthorizationNode> change)
    {
        lock (gate) known = change(ForPolicy());
    }
}
