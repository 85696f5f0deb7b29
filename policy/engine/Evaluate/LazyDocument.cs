namespace Talos.Policy;

/// <summary>
/// A part of the input that is made only when a rule reads it. Only paths see it; whoever takes it whole gets an ordinary object.
/// </summary>
abstract class LazyDocument : Value
{
    public sealed override ValueKind Kind => ValueKind.Object;

    public abstract Value Force();

    public sealed override int GetHashCode() => Force().GetHashCode();
    protected sealed override bool EqualsSameKind(Value other) => Force().Equals(other);
    protected sealed override int CompareSameKind(Value other) => Compare(Force(), other);
}
