namespace Talos.Linux.Processes;

/// <summary>How a process ended, as wait(2) tells it.</summary>
public readonly record struct ExitStatus(int Raw)
{
    /// <summary>The signal that ended the process, or 0.</summary>
    public int Signal => Raw & 0x7f;

    /// <summary>The exit code; meaningless after a signal.</summary>
    public int Code => (Raw >> 8) & 0xff;

    /// <summary>True when the process ended by itself with code 0.</summary>
    public bool IsClean => (Raw & 0xff7f) == 0;

    /// <summary><c>exited with code 3</c> or <c>was ended by SIGKILL</c>.</summary>
    public override string ToString() => Signal == 0 ? $"exited with code {Code}" : $"was ended by {SignalName(Signal)}";

    // signal(7)
    static string SignalName(int signal) => signal switch
    {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        31 => "SIGSYS, a system call its filter forbids",
        _ => $"signal {signal}",
    };
}
