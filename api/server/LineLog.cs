using Microsoft.Extensions.Logging;

namespace Talos.Api.Server;

/// <summary>
/// One line an event on standard error, where the supervisor picks it up. Exceptions follow their line, indented.
/// The time is left out: the supervisor stamps what it reads.
/// </summary>
public sealed class LineLog : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Category(categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    public void Dispose()
    {
        // Standard error belongs to the process.
    }

    sealed class Category(string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var text = $"{Word(logLevel)} {name}: {formatter(state, exception)}\n";
            if (exception is not null) text += $"  {exception.ToString().ReplaceLineEndings("\n  ")}\n";
            Console.Error.Write(text);
        }

        static string Word(LogLevel level) => level switch
        {
            LogLevel.Critical => "fatal",
            LogLevel.Error => "error",
            LogLevel.Warning => "warn",
            LogLevel.Information => "info",
            LogLevel.Trace or LogLevel.Debug or LogLevel.None => "debug",
            _ => throw new ArgumentOutOfRangeException(nameof(level), level, null),
        };
    }
}
