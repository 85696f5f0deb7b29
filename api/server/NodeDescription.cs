namespace Talos.Api.Server;

/// <summary>The node that a server speaks for, as policy and the record name it.</summary>
/// <param name="Cluster">The SPIFFE trust domain; peers of another one are refused.</param>
/// <param name="Name">Host name.</param>
/// <param name="Role">`controlplane` or `worker`.</param>
public sealed record NodeDescription(string Cluster, string Name, string Role);
