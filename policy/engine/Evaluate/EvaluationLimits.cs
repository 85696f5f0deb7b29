namespace Talos.Policy;

/// <summary>Bounds of one evaluation. A policy that runs into one is stopped; the error names the limit.</summary>
public sealed record EvaluationLimits
{
    public static EvaluationLimits Default { get; } = new();

    // LIMIT: `steps`: rules entered and elements visited; the shipped policy takes fewer than 100.
    public long Steps { get; init; } = 10_000_000;

    // LIMIT: `time`.
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(1);

    // LIMIT: `memory`: bytes allocated by the evaluation, whether or not they are still in use.
    public long AllocatedBytes { get; init; } = 256L << 20;

    // LIMIT: `result`: values in the answer, counting each element.
    public int ResultValues { get; init; } = 1_000_000;

    /// <summary>For tests and offline tools: no bound on time, generous ones on the rest.</summary>
    public static EvaluationLimits Offline { get; } = new() { Steps = 1_000_000_000, Time = Timeout.InfiniteTimeSpan, AllocatedBytes = 4L << 30, ResultValues = 100_000_000 };
}
