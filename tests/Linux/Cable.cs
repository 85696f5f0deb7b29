using Talos.Linux.Processes;

namespace Talos.Linux.Tests;

/// <summary>Two network links that are each other's other end, in the network namespace of the calling thread.</summary>
static class Cable
{
    internal static void Plug(string one, string other)
    {
        const string Tool = "/usr/sbin/ip";
        Assert.SkipUnless(File.Exists(Tool), "needs iproute2");
        // A child of the calling thread shares its network namespace.
        var child = new Reaper().Start(new ProcessStart { Executable = Tool, Arguments = ["link", "add", one, "type", "veth", "peer", "name", other] });
        using var reader = new StreamReader(new FileStream(child.Output, FileAccess.Read));
        var said = reader.ReadToEnd();
        var status = child.Ended.GetAwaiter().GetResult();
        Assert.SkipWhen(said.Contains("not supported", StringComparison.OrdinalIgnoreCase), "needs a kernel with veth");
        Assert.True(status.IsClean, said);
    }
}
