using Talos.Linux.Kernel;

namespace Talos.Linux.Tests;

public sealed class ProcParserTests
{
    [Fact]
    public void Accepts_a_process_whose_name_imitates_the_format()
    {
        var process = ProcessTable.Parse(
            "231 (a) S 1 (b) R 42 0 0 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 9 0 100 1048576 25 18446744073709551615 1 1",
            "Name:\ta\nUid:\t0\t50\t0\t0\n",
            "osd\0--config\0/run/talos/osd.yaml\0"u8);

        Assert.NotNull(process);
        Assert.Equal((231, 42, 'R', 9), (process.ProcessId, process.ParentId, process.State, process.Threads));
        Assert.Equal("a) S 1 (b", process.Command);
        Assert.Equal("osd --config /run/talos/osd.yaml", process.Arguments);
        Assert.Equal(TimeSpan.FromSeconds(2), process.CpuTime);
        Assert.Equal(25UL * (ulong)Environment.SystemPageSize, process.ResidentBytes);
        Assert.Equal(50u, process.User);
        Assert.False(process.IsKernelThread);
    }

    [Theory]
    [InlineData("")]
    [InlineData("231")]
    [InlineData("231 (a)")]
    [InlineData("231 (a) S 1 2 3")]
    [InlineData(") 1 (")]
    [InlineData("x (a) S 42 0 0 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 9 0 100 1048576 25")]
    public void Rejects_what_is_no_process(string stat) => Assert.Null(ProcessTable.Parse(stat, "", []));

    [Fact]
    public void Finds_itself()
    {
        var self = ProcessTable.TryRead(Environment.ProcessId);

        Assert.NotNull(self);
        Assert.True(self.ResidentBytes > 0);
        Assert.Contains(ProcessTable.Read(), process => process.ProcessId == Environment.ProcessId);
    }

    [Fact]
    public void Accepts_escaped_mounts()
    {
        var mounts = MountTable.Parse(
            """
            21 1 0:20 / /proc rw,nosuid,nodev,noexec shared:5 - proc proc rw
            30 21 8:1 / /a\040b\134c ro,relatime - ext4 /dev/vda rw,errors=remount-ro
            garbage
            31 21 - x
            """);

        Assert.Equal(
            [
                new MountEntry("proc", "/proc", "proc", "rw,nosuid,nodev,noexec"),
                new MountEntry("/dev/vda", "/a b\\c", "ext4", "ro,relatime,errors=remount-ro"),
            ],
            mounts);
    }

    [Fact]
    public void Accepts_meminfo()
    {
        var memory = MemoryFacts.Parse("MemTotal:  100 kB\nMemFree: 20 kB\nMemAvailable: 60 kB\nBuffers: 1 kB\nCached: 2 kB\nSReclaimable: 3 kB\nShmem: 4 kB\nHugePages_Total: 0\n");

        Assert.Equal(new MemoryFacts(100 << 10, 20 << 10, 60 << 10, 4 << 10, 1 << 10, 5 << 10), memory);
        Assert.Equal(40UL << 10, memory.Used);
    }

    [Fact]
    public void Rejects_a_sysctl_line_without_a_value()
    {
        Assert.Equal([new SysctlSetting("net.ipv4.ip_forward", "1", 2)], Sysctl.Parse("# c\nnet.ipv4.ip_forward = 1\n\n", "s.conf"));
        Assert.Equal("s.conf:1: expected `name = value`, found `kernel.x`", Assert.Throws<FormatException>(() => Sysctl.Parse("kernel.x", "s.conf")).Message);
    }

    [Theory]
    [InlineData("kernel..x")]
    [InlineData("../../etc/passwd")]
    [InlineData("kernel/x")]
    [InlineData("")]
    public void Rejects_sysctl_names_that_leave_their_place(string name) => Assert.False(Sysctl.IsName(name));
}
