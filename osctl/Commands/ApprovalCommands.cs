using System.CommandLine;
using Talos.Api.Approval.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

/// <summary>The second person's part: see what waits, and approve it.</summary>
static class ApprovalCommands
{
    static readonly Argument<string[]> Ids = new("ID") { Description = "What `osctl approvals` or the refused call named", Arity = ArgumentArity.OneOrMore };

    public static Verb List() => new("approvals", "List the requests that wait for a second person", "osctl approvals", "osctl approvals -n trustd")
    {
        Run = invocation => invocation.AskAndPrintAsync(
            (connection, options) => connection.Approvals().ListAsync(new ListRequest(), options),
            invocation.Table("NODE", "ID", "METHOD", "BY", "EXPIRES", "FIELDS", "APPROVED BY", "+ROLES", "+REQUESTED", "+DIGEST"), AddRows, withTrustd: true),
    };

    public static Verb Approve() => new("approve", "Approve a request of another person, once", "osctl approve 5d0c2a1f9b3e4c77", "osctl approve 5d0c2a1f9b3e4c77 -n trustd")
    {
        Arguments = { Ids },
        Run = async invocation =>
        {
            var code = ExitCode.Done;
            foreach (var id in invocation.Get(Ids)) code = Math.Max(code, await ApproveAsync(invocation, id));
            return code;
        },
    };

    // Only the node that refused the call knows the id, and the person who approves need not know which that was.
    static async Task<int> ApproveAsync(Invocation invocation, string id)
    {
        var answers = await FanOut.AskAsync<ApproveResponse>(invocation, async (connection, options) => await connection.Approvals().ApproveAsync(new ApproveRequest { Id = id }, options), invocation.Timeout, withTrustd: true);
        var known = answers.Where(a => a.Failure is not { Reason: "no-such-request" }).ToList();
        return Answers.Print(invocation, known.Count > 0 ? known : answers, invocation.Table("NODE", "APPROVED", "METHOD", "OF", "EXPIRES", "FIELDS"),
            (table, node, answer) => table.Add(node, answer.Request.Id, ShortName(answer.Request.Method), answer.Request.RequestedBy, Text.Second(answer.Request.Expires), Fields(answer.Request)));
    }

    static void AddRows(Table table, string node, ListResponse answer)
    {
        foreach (var r in answer.Requests)
        {
            table.Add(node, r.Id, ShortName(r.Method), r.RequestedBy, Text.Second(r.Expires), Fields(r), string.Join(' ', r.ApprovedBy), string.Join(' ', r.Roles),
                Text.Second(r.Requested), r.RequestDigest);
        }
    }

    static string Fields(PendingRequest request) => string.Join(' ', request.Fields.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}={f.Value}"));

    static string ShortName(string method) => method[(method.LastIndexOf('/') + 1)..];
}
