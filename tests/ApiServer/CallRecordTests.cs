using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Talos.Audit;
using Xunit;

namespace Talos.Api.Server.Tests;

public sealed class CallRecordTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("talos-record-").FullName;
    readonly Ed25519CheckpointSigner signer = Ed25519CheckpointSigner.Create("demo/cp-1");
    readonly AuditLog log;

    public CallRecordTests() => log = AuditLog.Open(folder, new AuditLogOptions { Signer = signer, Node = "cp-1" });

    [Fact]
    public async Task Tells_a_denied_caller_only_once_both_entries_are_on_disk()
    {
        var record = Record();
        var call = Call();
        await record.OpenAsync(call, null);

        await record.CloseAsync(call, Grpc.Core.StatusCode.PermissionDenied, "no");

        Assert.Equal(0UL, call.OpenedIndex);
        Assert.Equal([EntryKind.CallOpened, EntryKind.CallClosed], log.Read(0, 9).Select(r => r.Entry.Kind));
        Assert.Equal(0UL, log.Read(1, 1).Single().Entry.OpenedIndex);
    }

    [Fact]
    public async Task Denies_a_call_that_cannot_be_recorded()
    {
        var record = Record();
        await log.DisposeAsync();
        var call = Call();
        await record.OpenAsync(call, null);

        var refusal = await Assert.ThrowsAsync<RefusalException>(async () => await record.OpenedAsync(call));

        Assert.Equal(RefusalReason.AuditUnavailable, refusal.Reason);
    }

    [Fact]
    public async Task Survives_a_log_that_fails_where_no_record_is_needed()
    {
        var record = Record();
        await log.DisposeAsync();
        var call = Call();

        await record.OpenAsync(call, null);
        await record.CloseAsync(call, Grpc.Core.StatusCode.PermissionDenied, "");

        Assert.Null(call.OpenedIndex);
    }

    [Fact]
    public void Masks_secrets_whatever_policy_says()
    {
        var request = new Talos.Api.Trust.V1.IssueClientRequest { Name = "ada", Roles = { "os:reader" }, Token = "abcdefgh.secret", Lifetime = new() { Seconds = 60 } };

        var shown = CallRecord.Show(request, ["name", "roles", "lifetime", "token", "nothing"]);

        Assert.Equal("lifetime=\"60s\" name=ada roles=os:reader token=(secret)", string.Join(' ', shown.OrderBy(f => f.Key).Select(f => $"{f.Key}={f.Value}")));
    }

    public void Dispose()
    {
        log.Dispose();
        signer.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    CallRecord Record() => new(log, TimeProvider.System, NullLogger<CallRecord>.Instance);

    static ServedCall Call() => new(new Caller(null, new Origin(IPAddress.Loopback, IPAddress.Loopback, [])), "/talos.machine.v1.MachineService/Version", 0);
}
