using System.Net;
using Talos.Pki;
using Talos.Policy;

namespace Talos.Api.Server;

/// <summary>Who is at the other end of a connection. Only a finished handshake makes one, so holding it is proof of that.</summary>
public sealed class Caller
{
    readonly AuthorizationCaller authorization;

    internal Caller(PeerIdentity? identity, Origin origin)
    {
        Identity = identity;
        Source = origin.Source;
        ForwardedBy = origin.ForwardedBy;
        SourceText = Source.ToString();
        authorization = identity is null
            ? AuthorizationCaller.Anonymous(SourceText, ForwardedBy)
            : AuthorizationCaller.Named(
                identity.Name, identity.Roles, identity.Serial, identity.Spiffe.ToString(), identity.NotBefore, identity.NotAfter, SourceText, ForwardedBy);
    }

    /// <summary>Null for an anonymous caller, who came without a certificate.</summary>
    public PeerIdentity? Identity { get; }

    public bool IsAnonymous => Identity is null;

    /// <summary>Address that the connection comes from; IPv4 in its own form. Of a connection that was carried, what the last node that carried it says.</summary>
    public IPAddress Source { get; }

    /// <summary>The nodes that carried the connection, first hop first; empty when it came by itself.</summary>
    public IReadOnlyList<string> ForwardedBy { get; }

    internal string SourceText { get; }

    internal AuthorizationCaller Authorization => authorization;

    /// <summary>What entries say of the caller. One message for all of them: the log reads it and never writes to it.</summary>
    internal Talos.Audit.Caller Recorded => field ??= CallRecord.Describe(this).Freeze();
}
