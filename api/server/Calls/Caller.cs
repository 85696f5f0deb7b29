using System.Net;
using Talos.Pki;
using Talos.Policy;

namespace Talos.Api.Server;

/// <summary>Who is at the other end of a connection. Only a finished handshake makes one, so holding it is proof of that.</summary>
public sealed class Caller
{
    readonly AuthorizationCaller authorization;

    internal Caller(PeerIdentity? identity, IPAddress source)
    {
        Identity = identity;
        Source = source;
        SourceText = source.ToString();
        authorization = identity is null
            ? AuthorizationCaller.Anonymous(SourceText)
            : AuthorizationCaller.Named(
                identity.Name, identity.Roles, identity.Serial, identity.Spiffe.ToString(), identity.NotBefore, identity.NotAfter, SourceText);
    }

    /// <summary>Null for an anonymous caller, who came without a certificate.</summary>
    public PeerIdentity? Identity { get; }

    public bool IsAnonymous => Identity is null;

    /// <summary>Address that the connection comes from; IPv4 in its own form.</summary>
    public IPAddress Source { get; }

    internal string SourceText { get; }

    internal AuthorizationCaller Authorization => authorization;

    /// <summary>What entries say of the caller. One message for all of them: the log reads it and never writes to it.</summary>
    internal Talos.Audit.Caller Recorded => field ??= CallRecord.Describe(this).Freeze();
}
