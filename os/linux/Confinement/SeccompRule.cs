namespace Talos.Linux.Confinement;

/// <summary>What the filter does with a system call. The zero value is the strictest.</summary>
enum SeccompAction
{
    /// <summary>Ends the process by SIGSYS: nothing of ours makes this call, an intruder would.</summary>
    Kill = 0,
    /// <summary>EPERM: the program asks, and gets along without.</summary>
    Refuse = 1,
    /// <summary>ENOSYS: the C library tries a newer call first and falls back.</summary>
    PretendMissing = 2,
    Allow = 3,
}

/// <summary>One row of a filter.</summary>
/// <param name="Call">x86-64 system call number.</param>
/// <param name="Condition">Which calls it applies to; null for all. Those it does not apply to are refused.</param>
sealed record SeccompRule(int Call, SeccompAction Action, ArgumentCondition? Condition = null);

/// <summary>Compares the low 32 bits of one argument.</summary>
/// <param name="Argument">0 to 5.</param>
/// <param name="Mask">Bits compared.</param>
/// <param name="Values">The rule applies when the masked argument is one of these.</param>
sealed record ArgumentCondition(int Argument, uint Mask, params uint[] Values);
