namespace Talos.Api.Configuration;

delegate bool ScalarParser<T>(string text, out T value);

/// <summary>What one kind of value looks like: how to read it and how to say what was expected.</summary>
/// <param name="Expected">Completes the sentence "expected …".</param>
/// <param name="TryParse">Reads a value; false when the text is none.</param>
/// <param name="IsSecret">The text must not stand in an error.</param>
/// <param name="Words">The possible values, where they can be counted; for hints.</param>
sealed record ScalarFormat<T>(string Expected, ScalarParser<T> TryParse, bool IsSecret = false, IReadOnlyList<string>? Words = null);
