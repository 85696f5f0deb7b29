namespace Talos.Api.Server;

/// <summary>What a listener asks of its callers during the handshake. The zero value is the strictest.</summary>
public enum ClientCertificates
{
    /// <summary>A handshake without a valid certificate fails.</summary>
    Required = 0,

    /// <summary>A caller may come without a certificate and is anonymous then; one that is sent must be valid.</summary>
    Optional = 1,

    /// <summary>No certificate is asked for; every caller is anonymous. Only for a node that trusts nobody yet.</summary>
    NotRequested = 2,
}
