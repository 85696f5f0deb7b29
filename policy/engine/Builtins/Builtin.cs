namespace Talos.Policy;

/// <summary>What a builtin may ask of the evaluation that calls it, and its arguments; null is undefined.</summary>
delegate Value? BuiltinFunction(Evaluation e, Value[] args);

/// <summary>A builtin function. A negative arity takes any number of arguments.</summary>
sealed class Builtin(string name, int arity, BuiltinFunction function)
{
    public string Name { get; } = name;
    public int Arity { get; } = arity;

    public bool IsPure { get; } = name is not ("time.now_ns" or "rand.intn" or "uuid.rfc4122" or "opa.runtime" or "http.send" or "net.lookup_ip_addr" or "io.jwt.decode_verify"
        or "io.jwt.encode_sign" or "io.jwt.encode_sign_raw" or "crypto.x509.parse_and_verify_certificates" or "crypto.x509.parse_and_verify_certificates_with_options");

    public Value? Invoke(Evaluation e, Value[] args) => function(e, args);

    /// <summary>The function itself, when it takes so many values and asks nothing of the evaluation: such a call needs no array.</summary>
    public Func<Value, Value?>? One { get; private init; }

    public Func<Value, Value, Value?>? Two { get; private init; }

    public Func<Value, Value, Value, Value?>? Three { get; private init; }

    public static Builtin Of(string name, Func<Value, Value?> f) => new(name, 1, (_, a) => f(a[0])) { One = f };

    public static Builtin Of(string name, Func<Value, Value, Value?> f) => new(name, 2, (_, a) => f(a[0], a[1])) { Two = f };

    public static Builtin Of(string name, Func<Value, Value, Value, Value?> f) => new(name, 3, (_, a) => f(a[0], a[1], a[2])) { Three = f };

    public static Builtin Of(string name, Func<Value, Value, Value, Value, Value?> f) => new(name, 4, (_, a) => f(a[0], a[1], a[2], a[3]));
}
