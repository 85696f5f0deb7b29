using Grpc.Core;
using Talos.Api.Approval.V1;
using Talos.Api.Audit.V1;
using Talos.Api.Compliance.V1;
using Talos.Api.Machine.V1;
using Talos.Api.Policy.V1;
using Talos.Api.Relay.V1;
using Talos.Api.Trust.V1;
using Talos.Osctl.Output;

namespace Talos.Osctl.Nodes;

/// <summary>The services behind a connection.</summary>
static class Calls
{
    public static MachineService.MachineServiceClient Machine(this PeerConnection connection) => new(connection.Channel);

    public static AuditService.AuditServiceClient Audit(this PeerConnection connection) => new(connection.Channel);

    public static ComplianceService.ComplianceServiceClient Compliance(this PeerConnection connection) => new(connection.Channel);

    public static PolicyService.PolicyServiceClient Policy(this PeerConnection connection) => new(connection.Channel);

    public static ApprovalService.ApprovalServiceClient Approvals(this PeerConnection connection) => new(connection.Channel);

    public static TrustService.TrustServiceClient Trust(this PeerConnection connection) => new(connection.Channel);

    public static RelayService.RelayServiceClient Relay(this PeerConnection connection) => new(connection.Channel);

    /// <summary>Asks every node and prints a table or a tree.</summary>
    public static async Task<int> AskAndPrintAsync<T>(
        this Invocation invocation, Func<PeerConnection, CallOptions, AsyncUnaryCall<T>> ask, Table table, Action<Table, string, T> addRows, bool withTrustd = false)
        where T : class, Google.Protobuf.IMessage
    {
        var answers = await FanOut.AskAsync<T>(invocation, async (connection, options) => await ask(connection, options), invocation.Timeout, withTrustd);
        return Answers.Print(invocation, answers, table, addRows);
    }

    /// <summary>One call to the context's trustd; a failure ends the command.</summary>
    public static async Task<T> AskTrustdAsync<T>(this Invocation invocation, Func<TrustService.TrustServiceClient, CallOptions, AsyncUnaryCall<T>> ask) where T : class
    {
        var endpoint = invocation.Context().Trustd ?? throw new OsctlException($"context `{invocation.ContextName}` does not say where trustd answers", "`osctl config add` takes `--trustd HOST:PORT`");
        using var connection = PeerConnection.ToTrustd(endpoint, invocation.Credentials(), invocation.Terminal.Time);
        return await RequireAsync(invocation, connection, (c, options) => ask(c.Trust(), options));
    }

    /// <summary>One call whose failure ends the command.</summary>
    public static async Task<T> RequireAsync<T>(this Invocation invocation, PeerConnection connection, Func<PeerConnection, CallOptions, AsyncUnaryCall<T>> ask, string peer = "trustd") where T : class
    {
        var target = new Target(peer, connection.Endpoint);
        var answer = await FanOut.AskAsync<T>(invocation, target, connection, async (c, options) => await ask(c, options), invocation.Timeout);
        if (answer.Value is { } value) return value;
        var failure = answer.Failure!;
        var reason = failure.Reason.Length == 0 ? "" : $" [{failure.Reason}]";
        throw new OsctlException($"{peer}: {failure.Message}{reason}", failure.Hint, failure.IsDenial ? ExitCode.Denied : ExitCode.NodeFailed);
    }
}
