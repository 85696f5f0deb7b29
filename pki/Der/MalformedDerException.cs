namespace Talos.Pki;

/// <summary>Carries a position out of the DER reader. Every public parser catches it once and returns a <see cref="PkiFailure"/>; it never leaves the assembly.</summary>
sealed class MalformedDerException(int position, string message) : Exception(message)
{
    public int Position { get; } = position;

    public PkiReason Reason { get; init; } = PkiReason.MalformedDer;

    public PkiFailure ToFailure() => new(Reason, Message) { Position = Position };
}
