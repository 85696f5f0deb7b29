namespace Talos.Api.Configuration;

/// <summary>Collects what is wrong with one document.</summary>
sealed class DocumentErrors(string file)
{
    // LIMIT: nobody reads more at once, and a hostile document must not make the answer grow without bound.
    const int MaxErrors = 64;

    readonly List<ConfigurationError> _errors = [];

    public bool Any => _errors.Count > 0;

    public void Add(Position position, string message, string? hint = null)
    {
        if (_errors.Count < MaxErrors) _errors.Add(new ConfigurationError(file, position.Line, position.Column, message, hint));
    }

    public IReadOnlyList<ConfigurationError> InOrder() => [.. _errors.OrderBy(e => e.Line).ThenBy(e => e.Column)];

    /// <summary>A piece of the document as it may stand in a message: short, in one line, in backticks.</summary>
    public static string Quote(string text)
    {
        // LIMIT: enough to recognise one's own input.
        const int maxShown = 60;
        var shown = text.Length > maxShown ? string.Concat(text.AsSpan(0, maxShown), "…") : text;
        return $"`{string.Concat(shown.Select(c => char.IsControl(c) || c == '`' ? '\uFFFD' : c))}`";
    }
}
