namespace Talos.Machined;

/// <summary>machined as a process: under init where no argument is given, by itself on any Linux machine with <c>--standalone</c>.</summary>
public static class MachinedProcess
{
    /// <summary>Runs until it is told to stop; the result is the exit code.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (StandaloneOptions.TryParse(arguments, out var standalone, out var error)) return await Standalone.RunAsync(standalone!);
        if (error.Length == 0) return await OnNode.RunAsync();
        Console.Error.WriteLine("machined: " + error);
        Console.Error.WriteLine("hint: machined --standalone --config FILE --state DIR --run DIR [--bin DIR] [--policy DIR] [--listen-base PORT]");
        return 2;
    }
}
