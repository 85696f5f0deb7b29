using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>Whose identity to keep, and where.</summary>
public sealed class NodeIdentityOptions
{
    /// <summary>Holds `identity.pem` (key and certificates, mode 0600) and `bundle.pem`; only this process may use it.</summary>
    public required string Folder { get; init; }

    public required string Cluster { get; init; }

    public required string Name { get; init; }

    /// <summary>What the certificate has to say its holder is.</summary>
    public required PeerKind Kind { get; init; }

    /// <summary>Host names and addresses to ask for; a renewal asks for those that the certificate names already.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>
    /// What the configuration says to trust; null when it says nothing. What was learned under it since stands in its place, until it says something else.
    /// </summary>
    public TrustStore? Pinned { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
