using Talos.Machined.Api;

namespace Talos.Machined.Tests;

public sealed class ReadablePathsTests
{
    [Theory]
    [InlineData("/proc/meminfo")]
    [InlineData("/proc/sys/kernel/hostname")]
    [InlineData("/proc/1/status")]
    [InlineData("/etc/os-release")]
    [InlineData("/sys/class/net/eth0/address")]
    [InlineData("/run/log/talos/osd.log")]
    public void Accepts_what_tells_no_secret(string path) => Assert.Null(ReadablePaths.RefuseToRead(path));

    [Theory]
    [InlineData("/state/trustd/ca.key")]
    [InlineData("/state/osd/node.key")]
    [InlineData("//state///osd//node.key")]
    [InlineData("/run/talos/osd.yaml")]
    [InlineData("/run/talos")]
    [InlineData("/proc/1/environ")]
    [InlineData("/proc/231/mem")]
    [InlineData("/proc/231/root/state/osd/node.key")]
    [InlineData("/proc/231/task/231/environ")]
    [InlineData("/proc/cmdline")]
    [InlineData("/sys/firmware/qemu_fw_cfg/by_name/opt/talos/config/raw")]
    [InlineData("/dev/vda")]
    [InlineData("/sbin/init")]
    [InlineData("/")]
    [InlineData("/etcetera")]
    [InlineData("/etc/../state/osd/node.key")]
    [InlineData("/etc/./passwd")]
    [InlineData("etc/passwd")]
    [InlineData("")]
    public void Denies_everything_else(string path) => Assert.NotNull(ReadablePaths.RefuseToRead(path));

    [Theory]
    [InlineData("/", false)]
    [InlineData("/state", false)]
    [InlineData("/sbin", false)]
    [InlineData("/proc/1", false)]
    [InlineData("/state/osd", true)]
    [InlineData("/proc/1/fd", true)]
    [InlineData("/run/talos/", true)]
    public void Lists_more_than_it_reads(string path, bool isRefused) => Assert.Equal(isRefused, ReadablePaths.RefuseToList(path) is not null);
}
