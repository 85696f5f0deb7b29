using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Talos.Api.Machine.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static class ServiceCommands
{
    static readonly Argument<string> Id = new("SERVICE") { Description = "Service, as `osctl services` names it" };

    static readonly DurationOption Grace = new("--grace", "How long it may take to end before it is killed", "10s");

    public static Verb List() => new("services", "List the services of the nodes and their state", "osctl services", "osctl services -n cp-1,worker-1", "osctl services -o wide")
    {
        OtherNames = ["service"],
        Run = invocation => invocation.AskAndPrintAsync(
            (c, options) => c.Machine().ServiceListAsync(new ServiceListRequest(), options),
            invocation.Table("NODE", "SERVICE", "STATE", "HEALTH", "LAST CHANGE", "LAST EVENT", "+PID", "+RESTARTS"),
            (table, node, answer) =>
            {
                foreach (var s in answer.Services)
                    table.Add(node, s.Id, Text.Word(s.State), Text.Word(s.Health), Text.Ago(s.LastChange, invocation.Terminal.Time.GetUtcNow()), s.LastEvent, Text.Number(s.Pid), Text.Number(s.Restarts));
            }),
    };

    public static Verb Restart() => new("restart", "Stop and start one service", "osctl restart osd", "osctl restart machined -n worker-1 --grace 30s")
    {
        Arguments = { Id },
        Options = { Grace },
        Run = invocation => invocation.AskAndPrintAsync(
            (c, options) => c.Machine().ServiceRestartAsync(new ServiceRestartRequest { Id = invocation.Get(Id), Timeout = Duration.FromTimeSpan(invocation.Get(Grace)) }, options),
            invocation.Table("NODE", "RESPONSE"),
            (table, node, answer) => table.Add(node, Restarted(invocation.Get(Id), answer.Pid))),
    };

    // A service that carries the answer itself is restarted after it, so its new process has no number yet.
    static string Restarted(string id, int pid) => pid == 0 ? $"{id} restarts now" : $"{id} runs again as process {pid}";

    public static Verb Stats() => new("stats", "Show the memory and processor time of each service", "osctl stats", "osctl stats -o json")
    {
        Run = invocation => invocation.AskAndPrintAsync(
            (c, options) => c.Machine().StatsAsync(new StatsRequest(), options),
            invocation.Table("NODE", "NAMESPACE", "ID", "MEMORY(MB)", "CPU"),
            (table, node, answer) =>
            {
                foreach (var s in answer.Services) table.Add(node, s.Namespace, s.Id, Text.Megabytes(s.Memory), Text.ProcessorTime(s.CpuTime));
                table.Add(node, "", "total", Text.Megabytes(answer.TotalMemory), Text.ProcessorTime(answer.TotalCpuTime));
            }),
    };
}
