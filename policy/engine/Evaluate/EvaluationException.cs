namespace Talos.Policy;

/// <summary>An error that ends an evaluation. Codes are OPA's: <c>eval_conflict_error</c>, <c>eval_type_error</c>, <c>eval_builtin_error</c>, <c>eval_cancel_error</c>.</summary>
sealed class EvaluationException(string code, string message, Position? at = null) : Exception(message)
{
    /// <summary>Where, when one expression is to blame.</summary>
    public Position? At { get; } = at;

    public string Code { get; } = code;
}

/// <summary>A builtin cannot do what it is asked: undefined, or fatal when errors are strict.</summary>
sealed class BuiltinException : Exception
{
    public BuiltinException(string message, bool isOperand = false) : base(message) => IsOperandError = isOperand;

    public bool IsOperandError { get; }

    public static BuiltinException Operand(int position, string text) => new($"operand {position} {text}", true);

    /// <summary>The operand has the right type and a wrong value; OPA calls that no type error.</summary>
    public static BuiltinException OperandValue(string text) => new(text);

    public static BuiltinException Type(int position, Value got, params ReadOnlySpan<string> expected) => Operand(position,
        expected.Length == 1 ? $"must be {expected[0]} but got {got.TypeName}" : $"must be one of {{{string.Join(", ", expected)}}} but got {got.TypeName}");

    public static BuiltinException Element(int position, Value composite, Value got, params ReadOnlySpan<string> expected) => Operand(position,
        expected.Length == 1
            ? $"must be {composite.TypeName} of {expected[0]}s but got {composite.TypeName} containing {got.TypeName}"
            : $"must be {composite.TypeName} of (any of) {{{string.Join(", ", expected)}}} but got {composite.TypeName} containing {got.TypeName}");
}
