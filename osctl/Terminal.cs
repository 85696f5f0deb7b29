using System.Text;

namespace Talos.Osctl;

/// <summary>The outside world of one invocation, so that tests can stand in for it.</summary>
sealed class Terminal
{
    public required TextWriter Output { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>For bytes that are no text of ours. Flush <see cref="Output"/> first.</summary>
    public required Stream Bytes { get; init; }

    public required Func<string, string?> Environment { get; init; }

    public required TimeProvider Time { get; init; }

    public static Terminal OfProcess()
    {
        var encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var output = Console.OpenStandardOutput();
        return new Terminal
        {
            Output = new StreamWriter(output, encoding, 16 * 1024) { AutoFlush = false },
            Error = new StreamWriter(Console.OpenStandardError(), encoding, 1024) { AutoFlush = true },
            Bytes = output,
            Environment = System.Environment.GetEnvironmentVariable,
            Time = TimeProvider.System,
        };
    }

    public void Fail(string message, string? hint)
    {
        Output.Flush();
        Error.WriteLine($"error: {message}");
        if (!string.IsNullOrEmpty(hint)) Error.WriteLine($"hint: {hint}");
    }
}
