using System.Text;
using Talos.Linux.Native;

namespace Talos.Linux.Kernel;

/// <summary>How a machine ends.</summary>
public enum MachineEnd
{
    PowerOff = 0,
    Reboot = 1,
}

/// <summary>What concerns the machine as a whole.</summary>
public static unsafe class Machine
{
    // reboot(2)
    const int CommandRestart = 0x01234567, CommandPowerOff = 0x4321FEDC, CommandControlAltDeleteOff = 0;

    /// <summary>Writes all file systems to disk and ends the machine. Returns only by throwing.</summary>
    public static void End(MachineEnd end)
    {
        Libc.sync();
        var command = end == MachineEnd.Reboot ? CommandRestart : CommandPowerOff;
        _ = Libc.reboot(command);
        throw LinuxException.Last(end == MachineEnd.Reboot ? "reboot" : "power off");
    }

    /// <summary>Makes Ctrl-Alt-Del a signal to PID 1 in place of an immediate restart.</summary>
    public static void DisableControlAltDelete() => LinuxException.ThrowIfFailed(Libc.reboot(CommandControlAltDeleteOff), "disable ctrl-alt-del");

    /// <summary>Writes dirty pages of all file systems to disk.</summary>
    public static void Synchronise() => Libc.sync();

    /// <summary>sethostname(2).</summary>
    public static void SetHostname(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        fixed (byte* p = bytes)
            LinuxException.ThrowIfFailed(Libc.sethostname(p, (nuint)bytes.Length), $"set the host name to `{name}`");
    }
}
