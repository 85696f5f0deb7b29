using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Core;
using Talos.Api.Machine.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static class LogCommands
{
    static readonly Argument<string> Id = new("SERVICE") { Description = "Service, as `osctl services` names it" };

    static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what comes, until Ctrl-C" };

    static readonly Option<uint> Tail = new("--tail") { Description = "Only the last N lines of what is there", HelpName = "N" };

    public static Verb Logs() => new("logs", "Print what a service wrote", "osctl logs osd", "osctl logs machined -f --tail 20", "osctl logs trustd -n cp-1,cp-2 -f")
    {
        OtherNames = ["log"],
        Arguments = { Id },
        Options = { Follow, Tail },
        Run = invocation => StreamAsync(invocation, (c, options) => c.Machine().Logs(new LogsRequest { Id = invocation.Get(Id), Follow = invocation.Get(Follow), TailLines = invocation.Get(Tail) }, options)),
    };

    public static Verb Dmesg() => new("dmesg", "Print what the kernel logged", "osctl dmesg", "osctl dmesg -f --tail 20")
    {
        Options = { Follow, Tail },
        Run = invocation => StreamAsync(invocation, (c, options) => c.Machine().Dmesg(new DmesgRequest { Follow = invocation.Get(Follow), TailLines = invocation.Get(Tail) }, options)),
    };

    static async Task<int> StreamAsync(Invocation invocation, Func<PeerConnection, CallOptions, AsyncServerStreamingCall<LogChunk>> open)
    {
        var width = invocation.Targets() is { Count: > 1 } several ? several.Max(t => t.Name.Length) + 3 : 0;
        var credentials = invocation.Credentials();
        var follow = invocation.Get(Follow);
        var answers = await Task.WhenAll(invocation.Targets().Select(async target =>
        {
            using var connection = target.Connect(credentials, invocation.Terminal.Time);
            return await FanOut.AskAsync<object>(invocation, target, connection, async (c, options) =>
            {
                using var call = open(c, options);
                await foreach (var chunk in call.ResponseStream.ReadAllAsync(invocation.Cancellation)) Write(invocation, target, width, chunk, follow);
                return call;
            }, follow ? null : invocation.Timeout);
        }));
        Answers.PrintFailures(invocation, answers);
        return Answer<object>.ExitCode(answers);
    }

    // Nodes answer at the same time; a chunk holds whole lines, so it is written as a whole.
    static void Write(Invocation invocation, Target target, int width, LogChunk chunk, bool flush)
    {
        lock (invocation.Output)
        {
            foreach (var line in Encoding.UTF8.GetString(chunk.Data.Span).TrimEnd('\n').Split('\n'))
            {
                if (invocation.IsTree) TreeWriter.WriteLine(invocation.Output, new JsonObject { ["node"] = target.Name, ["line"] = line }, invocation.Format);
                else invocation.Output.WriteLine((width == 0 ? "" : target.Name.PadRight(width)) + line);
            }
            if (flush) invocation.Output.Flush();
        }
    }
}
