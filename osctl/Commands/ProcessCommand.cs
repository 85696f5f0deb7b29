using Talos.Api.Machine.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static class ProcessCommand
{
    public static Verb Build() => new("ps", "List the processes of the nodes", "osctl ps", "osctl ps -n worker-1 -o wide")
    {
        OtherNames = ["processes"],
        Run = invocation => invocation.AskAndPrintAsync(
            (c, options) => c.Machine().ProcessesAsync(new ProcessesRequest(), options),
            invocation.Table("NODE", "PID", "STATE", "THREADS", "CPU-TIME", "VIRTMEM", "RESMEM", "+PPID", "+UID", "COMMAND"),
            (table, node, answer) =>
            {
                foreach (var p in answer.Processes)
                {
                    var command = p.Arguments.Length > 0 ? p.Arguments : $"[{p.Command}]";
                    table.Add(node, Text.Number(p.Pid), p.State, Text.Number(p.Threads), Text.ProcessorTime(p.CpuTime), Text.Size(p.VirtualMemory), Text.Size(p.ResidentMemory),
                        Text.Number(p.Ppid), Text.Number(p.Uid), command);
                }
            }),
    };
}
