using System.Diagnostics.CodeAnalysis;

namespace Talos.Api.Configuration;

/// <summary>A document, or everything that is wrong with it; never both.</summary>
public sealed class ConfigurationResult<T> where T : class
{
    internal ConfigurationResult(T value) => Value = value;

    internal ConfigurationResult(IReadOnlyList<ConfigurationError> errors)
    {
        // INVARIANT: no value means at least one error, so that a refusal always has its reason.
        if (errors.Count == 0) throw new ArgumentException("a refusal needs a reason", nameof(errors));
        Errors = errors;
    }

    /// <summary>The document, or null when it has errors.</summary>
    public T? Value { get; }

    /// <summary>In the order of the document; empty when there is a value.</summary>
    public IReadOnlyList<ConfigurationError> Errors { get; } = [];

    /// <summary>Gives the document, or null and the errors as one text.</summary>
    public bool TryGet([NotNullWhen(true)] out T? value, out string errors)
    {
        value = Value;
        errors = string.Join('\n', Errors);
        return value is not null;
    }

    /// <summary>The document.</summary>
    /// <exception cref="ConfigurationException">The document has errors.</exception>
    public T RequireValue() => Value ?? throw new ConfigurationException(Errors);
}

/// <summary>A document that something cannot run without has errors.</summary>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationError> errors) : Exception(string.Join('\n', errors))
{
    /// <summary>In the order of the document.</summary>
    public IReadOnlyList<ConfigurationError> Errors { get; } = errors;
}
