using System.Buffers.Binary;
using System.Text;

namespace Talos.AotSelfTest;

/// <summary>What an ordinary init does before anything else can work.</summary>
static class Machine
{
    const int PowerOffCommand = 0x4321fedc; // LINUX_REBOOT_CMD_POWER_OFF

    internal static void Prepare()
    {
        Mount("proc", "/proc");
        Mount("sysfs", "/sys");
        Mount("tmpfs", "/tmp");
        Mount("tmpfs", "/run");
        // The target of /etc/resolv.conf: .NET asks for the file before it lists interfaces.
        File.WriteAllText("/run/resolv.conf", "");
        BringUpLoopback();
        Console.WriteLine("self-test: running as PID 1");
    }

    internal static void PowerOff() => Native.reboot(PowerOffCommand);

    static void Mount(string type, string target)
    {
        if (Native.mount(type, target, type, 0, null) != 0)
            throw new IOException($"cannot mount {type} on `{target}`: {System.Runtime.InteropServices.Marshal.GetLastPInvokeErrorMessage()}");
    }

    // struct ifreq: name[16], then the flags as a 16-bit number (netdevice(7))
    static unsafe void BringUpLoopback()
    {
        const int InternetFamily = 2, Datagram = 2;
        const nuint SetInterfaceFlags = 0x8914;
        const ushort UpAndRunning = 0x1 | 0x40;
        Span<byte> request = stackalloc byte[40];
        request.Clear();
        Encoding.ASCII.GetBytes("lo", request);
        BinaryPrimitives.WriteUInt16LittleEndian(request[16..], UpAndRunning);
        var socket = Native.socket(InternetFamily, Datagram, 0);
        fixed (byte* argument = request) Expect.Equal(0, Native.ioctl(socket, SetInterfaceFlags, argument));
    }
}
