namespace Talos.Linux.Confinement;

/// <summary>Which system calls a service may make. A call that no row names is refused with EPERM.</summary>
public sealed class SeccompProfile
{
    SeccompProfile(IReadOnlyList<SeccompRule> rules) => Rules = rules;

    /// <summary>A network service without privileges: files, threads, sockets.</summary>
    public static SeccompProfile Service { get; } = new(
    [
        .. SeccompTable.Conditional(SeccompTable.ServiceSocketFamilies),
        .. SeccompTable.Common,
        .. SeccompTable.Killed([]),
    ]);

    /// <summary>machined: what a service may, and in addition mounts, ownership, the host name, the kernel log and raw sockets.</summary>
    public static SeccompProfile Machined { get; } = new(
    [
        .. SeccompTable.Conditional(SeccompTable.MachinedSocketFamilies),
        .. SeccompTable.Common,
        .. SeccompTable.Privileged,
        .. SeccompTable.Killed(SeccompTable.Privileged),
    ]);

    internal IReadOnlyList<SeccompRule> Rules { get; }
}
