namespace Talos.Api.Configuration;

/// <summary>What is wrong with a document, and where.</summary>
/// <param name="File">Name of the document as the caller gave it.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column in characters, from 1.</param>
/// <param name="Message">Lower case, no full stop; what the document says stands in backticks. Never holds a secret.</param>
/// <param name="Hint">What would help, or nothing.</param>
public sealed record ConfigurationError(string File, int Line, int Column, string Message, string? Hint = null)
{
    /// <summary><c>file:line:column: message</c>, and the hint on a line of its own.</summary>
    public override string ToString()
    {
        var text = $"{File}:{Line}:{Column}: {Message}";
        return Hint is null ? text : $"{text}\n  hint: {Hint}";
    }
}
