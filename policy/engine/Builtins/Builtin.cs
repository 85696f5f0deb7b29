namespace Talos.Policy;

/// <summary>What a builtin may ask of the evaluation that calls it, and its arguments; null is undefined.</summary>
delegate Value? BuiltinFunction(Evaluation e, Value[] args);

/// <summary>A builtin function. A negative arity takes any number of arguments.</summary>
sealed class Builtin(string name, int arity, BuiltinFunction function)
{
    public string Name { get; } = name;
    public int Arity { get; } = arity;

    public Value? Invoke(Evaluation e, Value[] args) => function(e, args);

    public static Builtin Of(string name, Func<Value, Value?> f) => new(name, 1, (_, a) => f(a[0]));

    public static Builtin Of(string name, Func<Value, Value, Value?> f) => new(name, 2, (_, a) => f(a[0], a[1]));

    public static Builtin Of(string name, Func<Value, Value, Value, Value?> f) => new(name, 3, (_, a) => f(a[0], a[1], a[2]));

    public static Builtin Of(string name, Func<Value, Value, Value, Value, Value?> f) => new(name, 4, (_, a) => f(a[0], a[1], a[2], a[3]));
}
