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
    public async Task Accepts_a_call_that_needs_no_record_only_once_the_log_caught_up()
    {
        var record = new CallRecord(log, TimeProvider.System, NullLogger<CallRecord>.Instance, maxBehind: 0);
        var call = Call();
        record.Open(call, null);

        await record.KeepPaceAsync(call);

        Assert.NotNull(call.OpenedIndex);
    }

    [Fact]
    public async Task Survives_a_log_that_fails_where_no_record_is_needed()
    {
        var record = new CallRecord(log, TimeProvider.System, NullLogger<CallRecord>.Instance, maxBehind: 0);
        await log.DisposeAsync();
        var call = Call();
        record.Open(call, null);

        await record.KeepPaceAsync(call);
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

    static ServedCall Call() => new(new Caller(null, IPAddress.Loopback), "/talos.machine.v1.MachineService/Version", 0);
}
