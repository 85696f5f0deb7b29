using System.Diagnostics.CodeAnalysis;

namespace Talos.Pki;

/// <summary>Either a checked value or the failure that says why there is none; never both, never neither.</summary>
public sealed class Checked<T>
    where T : class
{
    internal Checked(T value) => Value = value;

    internal Checked(PkiFailure failure) => Failure = failure;

    /// <summary>The value, or null when the check failed.</summary>
    public T? Value { get; }

    /// <summary>The failure, or null when the check passed.</summary>
    public PkiFailure? Failure { get; }

    public bool Is([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out PkiFailure? failure)
    {
        value = Value;
        failure = Failure;
        return value is not null;
    }

    /// <summary>The value; throws <see cref="PkiRefusedException"/> with the failure's text when there is none.</summary>
    public T Require() => Value ?? throw new PkiRefusedException(Failure!);

    public static implicit operator Checked<T>(PkiFailure failure) => new(failure);

#pragma warning disable CA1000 // The value's own type names the operation; a factory elsewhere would have to be public too.
    internal static Checked<T> Of(T value) => new(value);
#pragma warning restore CA1000
}

/// <summary>Thrown only by <see cref="Checked{T}.Require"/>, for callers to whom a refusal is a bug.</summary>
public sealed class PkiRefusedException(PkiFailure failure) : Exception(failure.ToString())
{
    public PkiFailure Failure { get; } = failure;
}
