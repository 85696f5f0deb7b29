using Talos.Api.Machine.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static class HardwareCommands
{
    public static Verb Time() => new("time", "Show the clocks of the nodes", "osctl time", "osctl time -n cp-1,worker-1 -o wide")
    {
        Run = invocation => invocation.AskAndPrintAsync(
            (c, options) => c.Machine().TimeAsync(new TimeRequest(), options),
            // Only the hardware clock sets a node's time so far, so there is no server whose time could stand beside it.
            invocation.Table("NODE", "NTP-SERVER", "NODE-TIME", "NTP-SERVER-TIME", "+UPTIME"),
            (table, node, answer) => table.Add(node, answer.Source, Text.Second(answer.Time), "", DurationText.Format(answer.Uptime?.ToTimeSpan() ?? TimeSpan.Zero))),
    };

    public static Verb Memory() => new("memory", "Show the memory of the nodes in megabytes", "osctl memory", "osctl memory -o json")
    {
        Run = invocation => invocation.AskAndPrintAsync(
            (c, options) => c.Machine().MemoryAsync(new MemoryRequest(), options),
            invocation.Table("NODE", "TOTAL", "USED", "FREE", "SHARED", "BUFFERS", "CACHE", "AVAILABLE"),
            (table, node, m) => table.Add([node, .. new[] { m.Total, m.Used, m.Free, m.Shared, m.Buffers, m.Cached, m.Available }.Select(v => Text.Number(v / 1_000_000))])),
    };

    public static Verb Interfaces() => new("interfaces", "List the network interfaces of the nodes", "osctl interfaces", "osctl interfaces -n worker-1 -o yaml")
    {
        Run = invocation => invocation.AskAndPrintAsync(
            (c, options) => c.Machine().NetworkInterfacesAsync(new NetworkInterfacesRequest(), options),
            invocation.Table("NODE", "INDEX", "NAME", "MAC", "MTU", "ADDRESS", "+UP"),
            (table, node, answer) =>
            {
                foreach (var i in answer.Interfaces)
                    table.Add(node, Text.Number(i.Index), i.Name, i.HardwareAddress, Text.Number(i.Mtu), string.Join(' ', i.Addresses), i.Up ? "yes" : "no");
            }),
    };
}
