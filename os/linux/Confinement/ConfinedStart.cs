using Talos.Linux.Native;
using Talos.Linux.Processes;

namespace Talos.Linux.Confinement;

/// <summary>All that limits a service. The order in which it takes force is <see cref="ConfinedStart"/>'s.</summary>
public sealed record Confinement
{
    public required uint User { get; init; }

    public required uint Group { get; init; }

    /// <summary>What the service may keep; only uid 0 keeps any.</summary>
    public CapabilitySet Capabilities { get; init; }

    /// <summary>What the service sees; null: the machine's own tree.</summary>
    public IReadOnlyList<ViewEntry>? View { get; init; }

    public required SeccompProfile Filter { get; init; }

    /// <summary>The service's share of the machine; null: no limit.</summary>
    public ControlGroup? Share { get; init; }

    /// <summary>RLIMIT_NOFILE.</summary>
    public uint OpenFilesMaximum { get; init; } = 1024;

    /// <summary>RLIMIT_NPROC, threads of the uid; not enforced by the kernel for uid 0.</summary>
    public uint ThreadsMaximum { get; init; } = 256;
}

/// <summary>The launcher stage: confines the calling thread step by step and executes the service in its place.</summary>
public static unsafe class ConfinedStart
{
    // setrlimit(2)
    const int LimitCore = 4, LimitProcesses = 6, LimitOpenFiles = 7;
    const int KeepStandardDescriptors = 3;

    /// <summary>Returns only by throwing.</summary>
    /// <exception cref="LinuxException">A step failed; nothing of the service has run.</exception>
    public static void Execute(ProcessStart start, Confinement confinement)
    {
        var program = SeccompFilter.Assemble(confinement.Filter.Rules, SeccompAction.Refuse);
        using var arguments = new CStrings([start.Executable, .. start.Arguments]);
        using var environment = new CStrings(start.Environment);
        confinement.Share?.Enter();
        if (confinement.View is { } view)
            View.Enter(view);
        Limit(LimitCore, 0);
        Limit(LimitOpenFiles, confinement.OpenFilesMaximum);
        Limit(LimitProcesses, confinement.ThreadsMaximum);
        Capabilities.LimitTo(confinement.Capabilities);
        Credentials.Become(confinement.User, confinement.Group);
        Capabilities.Set(confinement.User == 0 ? confinement.Capabilities : CapabilitySet.None, CapabilitySet.None);
        Credentials.ForbidNewPrivileges();
        // Whatever the launcher or its parent has open is no business of the service.
        LinuxException.ThrowIfFailed(Libc.Syscall(SystemCall.CloseRange, KeepStandardDescriptors, int.MaxValue, 4), "close descriptors on exec");
        SeccompFilter.Install(program);
        _ = Libc.execve(arguments.Pointers[0], arguments.Pointers, environment.Pointers);
        throw LinuxException.Last($"execute `{start.Executable}`");
    }

    static void Limit(int resource, uint value)
    {
        var limit = new Libc.ResourceLimit { Soft = value, Hard = value };
        LinuxException.ThrowIfFailed(Libc.setrlimit(resource, &limit), $"set resource limit {resource}");
    }
}
