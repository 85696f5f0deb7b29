namespace Talos.Checks;

/// <summary>What is wrong with a file that a person wrote, and where. Line and column count from one.</summary>
public sealed record SourceError(string File, int Line, int Column, string Message, string? Hint = null)
{
    public override string ToString() =>
        Hint is null ? $"{File}:{Line}:{Column}: {Message}" : $"{File}:{Line}:{Column}: {Message}\n  hint: {Hint}";
}

/// <summary>A file's content, or everything that is wrong with it. Exactly one of the two is there.</summary>
public sealed class Parsed<T> where T : class
{
    internal Parsed(T value)
    {
        Value = value;
        Errors = [];
    }

    internal Parsed(IReadOnlyList<SourceError> errors)
    {
        if (errors.Count == 0) throw new ArgumentException("a refusal names at least one error", nameof(errors));
        Errors = errors;
    }

    public T? Value { get; }

    public IReadOnlyList<SourceError> Errors { get; }

    /// <summary>The value. For files that ship inside the product, where an error is a bug of ours.</summary>
    /// <exception cref="InvalidDataException">The file was refused; the message lists every error.</exception>
    public T Require() => Value ?? throw new InvalidDataException(string.Join('\n', Errors));
}
