using System.CommandLine;
using Grpc.Core;
using Talos.Api.Machine.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static class PowerCommands
{
    static readonly Option<bool> Wait = new("--wait") { Description = "Return when the node answers after its restart" };

    static readonly DurationOption WaitLimit = new("--wait-timeout", "How long to wait for it", "5m");

    public static Verb Reboot() => new("reboot", "Stop all services in order and restart the machines", "osctl reboot -n worker-1", "osctl reboot -n cp-1 --wait")
    {
        Options = { Wait, WaitLimit },
        Run = async invocation =>
        {
            var waits = invocation.Get(Wait);
            var answers = await FanOut.AskAsync<RebootResponse>(invocation, async (connection, options) =>
            {
                var before = waits ? (await connection.Machine().VersionAsync(new VersionRequest(), options)).BootId : "";
                var answer = await connection.Machine().RebootAsync(new RebootRequest(), options);
                if (waits) await WaitAsync(invocation, connection, before);
                return answer;
            }, invocation.Timeout);
            return Answers.Print(invocation, answers, invocation.Table("NODE", "RESPONSE"), (table, node, _) => table.Add(node, waits ? "restarted" : "restarting"));
        },
    };

    public static Verb Shutdown() => new("shutdown", "Stop all services in order and power the machines off", "osctl shutdown -n worker-1")
    {
        Run = invocation => invocation.AskAndPrintAsync(
            (c, options) => c.Machine().ShutdownAsync(new ShutdownRequest(), options),
            invocation.Table("NODE", "RESPONSE"),
            (table, node, _) => table.Add(node, "powering off")),
    };

    // The boot id tells a node that restarted from one that has not stopped yet.
    static async Task WaitAsync(Invocation invocation, PeerConnection former, string bootBefore)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(invocation.Cancellation);
        limit.CancelAfter(invocation.Get(WaitLimit));
        while (true)
        {
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), invocation.Terminal.Time, limit.Token);
                using var connection = former.Again();
                var options = new CallOptions(deadline: invocation.Terminal.Time.GetUtcNow().UtcDateTime.AddSeconds(5), cancellationToken: limit.Token);
                if ((await connection.Machine().VersionAsync(new VersionRequest(), options)).BootId != bootBefore) return;
            }
            catch (RpcException e) when (!limit.IsCancellationRequested && e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Internal or StatusCode.Cancelled)
            {
                // Down, or on its way: what we wait for.
                continue;
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException && limit.IsCancellationRequested && !invocation.Cancellation.IsCancellationRequested)
            {
                throw new OsctlException($"{former.Endpoint} did not come back within {DurationText.Format(invocation.Get(WaitLimit))}", "its console may tell why: `osctl cluster logs`", ExitCode.NodeFailed);
            }
        }
    }
}
