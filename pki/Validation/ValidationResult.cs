using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>A path that validation accepted, leaf first, trust anchor last. Only validation makes one.</summary>
public sealed class ValidatedPath
{
    internal ValidatedPath(ImmutableArray<Certificate> certificates, PeerIdentity? peer)
    {
        Certificates = certificates;
        Peer = peer;
    }

    public ImmutableArray<Certificate> Certificates { get; }

    /// <summary>Who the peer is; null only when <see cref="IdentityDemand.NotRequired"/> was asked for and there is none.</summary>
    public PeerIdentity? Peer { get; }

    public Certificate Leaf => Certificates[0];

    public Certificate Anchor => Certificates[^1];
}

/// <summary>The outcome of a validation: a path, or the reason, a sentence and the certificate at fault.</summary>
public sealed class ValidationResult
{
    internal ValidationResult(ValidatedPath path)
    {
        Reason = ValidationReason.Valid;
        Message = "the certificate is valid";
        Path = path;
    }

    internal ValidationResult(ValidationReason reason, string message, Certificate? culprit, string? hint = null)
    {
        Reason = reason == ValidationReason.Valid ? ValidationReason.NotValidated : reason;
        Message = message;
        Culprit = culprit;
        Hint = hint;
    }

    public ValidationReason Reason { get; }

    /// <summary>One sentence: lower case, no full stop.</summary>
    public string Message { get; }

    public string? Hint { get; }

    /// <summary>The certificate at fault; null when there is none in particular.</summary>
    public Certificate? Culprit { get; }

    /// <summary>The accepted path; null unless <see cref="Reason"/> is <see cref="ValidationReason.Valid"/>.</summary>
    public ValidatedPath? Path { get; }

    /// <summary>Shorthand for the accepted path's peer.</summary>
    public PeerIdentity? Peer => Path?.Peer;

    public override string ToString() => Culprit is null ? Message : $"{Message} ({Culprit})";
}
