namespace Talos.Policy;

/// <summary>What a builtin asks before it makes something large, and while it works long: it does not tick.</summary>
sealed partial class Evaluation
{
    // Writers ask once in so many values.
    const int PulseInterval = 1024;

    [ThreadStatic]
    static Evaluation? t_running;

    [ThreadStatic]
    static int t_pulses;

    /// <summary>Stops the evaluation whose builtin runs on this thread if so many bytes more are over its limit.</summary>
    public static void Reserve(long bytes)
    {
        if (t_running is { } e && GC.GetAllocatedBytesForCurrentThread() - e._allocatedAtStart + bytes > e._options.Limits.AllocatedBytes) throw Limit("memory");
    }

    /// <summary>Stops the evaluation whose builtin runs on this thread if it is over a limit; looks only once in so many calls.</summary>
    public static void Pulse()
    {
        if ((++t_pulses & (PulseInterval - 1)) == 0) CheckRunning();
    }

    /// <summary>The same, always.</summary>
    public static void CheckRunning() => t_running?.Check();

    // Something large came of it: memory is looked at now and not only after so many steps.
    Value? Weighed(Value? value)
    {
        bool isLarge = value switch { StringValue s => s.Text.Length > 4096, ArrayValue a => a.Items.Length > 1024, SetValue s => s.Count > 1024, ObjectValue o => o.Count > 1024, _ => false };
        if (isLarge) Check();
        return value;
    }
}
