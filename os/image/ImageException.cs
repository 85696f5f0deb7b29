namespace Talos.Image;

/// <summary>The image cannot be built from what was given. The message says what is wrong, the hint what to do about it.</summary>
sealed class ImageException(string message, string? hint = null) : Exception(message)
{
    public string? Hint { get; } = hint;
}
