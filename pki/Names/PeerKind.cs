namespace Talos.Pki;

/// <summary>What a certificate of the fleet stands for.</summary>
public enum PeerKind
{
    /// <summary>Nothing that may take part.</summary>
    Unknown = 0,
    User,
    Node,
    Trustd,
}
