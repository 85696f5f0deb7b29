namespace Talos.Osctl.Nodes;

/// <summary>What one node said, or why it said nothing.</summary>
sealed record Answer<T>(Target Target, T? Value, CallFailure? Failure) where T : class
{
    public static int ExitCode(IReadOnlyList<Answer<T>> answers)
    {
        var failures = answers.Select(a => a.Failure).OfType<CallFailure>().ToArray();
        if (failures.Length == 0) return Osctl.ExitCode.Done;
        return failures.All(f => f.IsDenial) ? Osctl.ExitCode.Denied : Osctl.ExitCode.NodeFailed;
    }
}
