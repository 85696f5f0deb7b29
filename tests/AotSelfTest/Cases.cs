using System.Runtime.CompilerServices;

namespace Talos.AotSelfTest;

/// <summary>Runs cases one after the other, each on a thread of its own, and counts.</summary>
sealed class Cases(string? only)
{
    // LIMIT: a case that hangs is a failure. Emulation on a loaded machine is slow; nothing here should come near it.
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    readonly List<string> _failed = [];
    int _passed;

    /// <summary>Runs <paramref name="body"/>; it fails by throwing.</summary>
    public void Run(string name, Action body)
    {
        if (only is not null && !name.Contains(only, StringComparison.Ordinal)) return;
        Exception? thrown = null;
        var thread = new Thread(() =>
        {
            try { body(); }
            catch (Exception exception) { thrown = exception; }
        }, maxStackSize: 8 << 20)
        { IsBackground = true };
        thread.Start();
        if (!thread.Join(Patience)) thrown = new TimeoutException("did not end");
        if (thrown is null)
        {
            _passed++;
            Console.WriteLine($"ok   {name}");
            return;
        }
        _failed.Add(name);
        Console.WriteLine($"FAIL {name}: {thrown.GetType().Name}: {thrown.Message}");
    }

    /// <summary>Prints the result and returns the number of failed cases.</summary>
    public int Report()
    {
        foreach (var name in _failed) Console.WriteLine($"failed: {name}");
        Console.WriteLine($"self-test: {_passed} passed, {_failed.Count} failed");
        return _failed.Count;
    }
}

static class Expect
{
    public static void True(bool condition, [CallerArgumentExpression(nameof(condition))] string? text = null, [CallerLineNumber] int line = 0)
    {
        if (!condition) throw new InvalidOperationException($"line {line}: expected `{text}`");
    }

    public static void Equal<T>(T expected, T actual, [CallerLineNumber] int line = 0)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
            throw new InvalidOperationException($"line {line}: expected `{expected}`, got `{actual}`");
    }

    public static TException Throws<TException>(Action body, [CallerLineNumber] int line = 0) where TException : Exception
    {
        try
        {
            body();
        }
        catch (TException exception)
        {
            return exception;
        }
        throw new InvalidOperationException($"line {line}: expected {typeof(TException).Name}");
    }
}
