using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Talos.Api.Machine.V1;
using Talos.Audit;
using Xunit;

namespace Talos.Api.Server.Tests;

public sealed class CallTests
{
    const string Version = "/talos.machine.v1.MachineService/Version";
    const string Reboot = "/talos.machine.v1.MachineService/Reboot";

    [Fact]
    public async Task Accepts_a_call_that_policy_allows_and_records_both_ends()
    {
        await using var test = await TestHost.StartAsync();

        var answer = await test.As("ada", "os:reader").VersionAsync(new VersionRequest());

        Assert.Equal("v1", answer.Tag);
        var opened = await test.EntryAsync(e => e.Kind == EntryKind.CallOpened);
        Assert.Equal((Version, "ada", "127.0.0.1"), (opened.Method, opened.Caller.Name, opened.Caller.SourceAddress));
        Assert.Equal("spiffe://demo/user/ada", opened.Caller.SpiffeUri);
        Assert.Equal(["os:reader"], opened.Caller.Roles);
        Assert.NotEmpty(opened.Caller.Serial);
        var closed = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed);
        Assert.Equal((Effect.Allow, "OK", "yes"), (closed.Decision.Effect, closed.Outcome.Status, closed.Details["seen"]));
        Assert.True(closed.HasOpenedIndex);
    }

    [Fact]
    public async Task Records_who_asks_for_a_method_that_does_not_exist()
    {
        await using var test = await TestHost.StartAsync();
        var method = new Method<VersionRequest, VersionResponse>(
            MethodType.Unary, "talos.machine.v1.MachineService", "Wipe", Marshallers.Create(_ => [], _ => new VersionRequest()), Marshallers.Create(_ => [], _ => new VersionResponse()));

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await test.Channel(test.Authority.Person("eve", "os:admin"))
            .CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(), new VersionRequest()));

        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
        var closed = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed);
        Assert.Equal(("/talos.machine.v1.MachineService/Wipe", "eve", Effect.Deny, "UNIMPLEMENTED"),
            (closed.Method, closed.Caller.Name, closed.Decision.Effect, closed.Outcome.Status));
    }

    [Fact]
    public async Task Records_who_sends_a_request_that_is_too_large_and_one_that_is_none()
    {
        await using var test = await TestHost.StartAsync(limits: new ApiLimits { RequestBytes = 1024 });
        byte[] sent = new byte[4096];
        var method = new Method<byte[], VersionResponse>(
            MethodType.Unary, "talos.machine.v1.MachineService", "Version", Marshallers.Create(b => b, b => b), Marshallers.Create(_ => [], _ => new VersionResponse()));
        var invoker = test.Channel(test.Authority.Person("eve", "os:admin")).CreateCallInvoker();

        await Assert.ThrowsAsync<RpcException>(async () => await invoker.AsyncUnaryCall(method, null, new CallOptions(), sent));
        // A field of 127 bytes of which none comes.
        await Assert.ThrowsAsync<RpcException>(async () => await invoker.AsyncUnaryCall(method, null, new CallOptions(), [0x0a, 0x7f]));

        var large = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed);
        Assert.Equal((Version, "eve", "INVALID_ARGUMENT", Effect.Deny), (large.Method, large.Caller.Name, large.Outcome.Status, large.Decision.Effect));
        var none = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed && e.OpenedIndex > large.OpenedIndex);
        Assert.Equal((Version, "eve", Effect.Deny), (none.Method, none.Caller.Name, none.Decision.Effect));
        Assert.Equal(0, test.Machine.Handled);
    }

    [Fact]
    public async Task Denies_a_reader_who_wants_to_reboot()
    {
        await using var test = await TestHost.StartAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await test.As("rita", "os:reader").RebootAsync(new RebootRequest()));

        Assert.Equal(StatusCode.PermissionDenied, failure.StatusCode);
        Assert.Equal("role_not_allowed", failure.Trailers.GetValue(RefusalException.ReasonTrailer));
        Assert.Contains("os:operator", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(0, test.Machine.Handled);
        // Denials are on disk before they are told.
        var closed = test.Log.Read(0, long.MaxValue).Select(r => r.Entry).Single(e => e.Kind == EntryKind.CallClosed);
        Assert.Equal((Reboot, Effect.Deny, "role_not_allowed"), (closed.Method, closed.Decision.Effect, closed.Decision.ReasonId));
        Assert.Equal("PERMISSION_DENIED", closed.Outcome.Status);
    }

    [Fact]
    public async Task Denies_an_anonymous_caller_what_needs_a_name()
    {
        await using var test = await TestHost.StartAsync(ClientCertificates.Optional);

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await test.As((TrustMaterial?)null).VersionAsync(new VersionRequest()));

        Assert.Equal(StatusCode.PermissionDenied, failure.StatusCode);
        var closed = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed);
        Assert.Equal(("", "127.0.0.1", Effect.Deny), (closed.Caller.Name, closed.Caller.SourceAddress, closed.Decision.Effect));
    }

    [Fact]
    public async Task Denies_every_call_that_cannot_be_recorded()
    {
        await using var test = await TestHost.StartAsync();
        var client = test.As("otto", "os:admin");
        await client.VersionAsync(new VersionRequest());
        await test.Log.DisposeAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.RebootAsync(new RebootRequest()));

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Equal("audit-unavailable", failure.Trailers.GetValue(RefusalException.ReasonTrailer));
        Assert.Equal(1, test.Machine.Handled);
    }

    [Fact]
    public async Task Survives_a_handler_that_throws_and_says_nothing_of_it_to_the_caller()
    {
        await using var test = await TestHost.StartAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await test.As("ada", "os:reader").MemoryAsync(new MemoryRequest()));

        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        var closed = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed);
        Assert.Contains(closed.Details["incident"], failure.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("INTERNAL", closed.Outcome.Status);
    }

    [Fact]
    public async Task Accepts_a_handlers_refusal_with_reason_and_hint()
    {
        await using var test = await TestHost.StartAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await test.As("ada", "os:reader").StatsAsync(new StatsRequest()));

        Assert.Equal((StatusCode.NotFound, "there is no `x`"), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal("no-x", failure.Trailers.GetValue(RefusalException.ReasonTrailer));
        Assert.Equal("try `y`", failure.Trailers.GetValue(RefusalException.HintTrailer));
    }

    [Fact]
    public async Task Rejects_a_call_whose_deadline_passes()
    {
        await using var test = await TestHost.StartAsync();
        var client = test.As("ada", "os:reader");
        await client.VersionAsync(new VersionRequest());

        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await client.TimeAsync(new TimeRequest(), deadline: DateTime.UtcNow.AddMilliseconds(300)));

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        var closed = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed && e.Method.EndsWith("/Time", StringComparison.Ordinal));
        Assert.Contains(closed.Outcome.Status, new[] { "DEADLINE_EXCEEDED", "CANCELLED" });
    }

    [Fact]
    public async Task Survives_a_caller_that_goes_away()
    {
        await using var test = await TestHost.StartAsync();
        using var leave = new CancellationTokenSource();
        var call = test.As("ada", "os:reader").TimeAsync(new TimeRequest(), cancellationToken: leave.Token);
        await test.Machine.Entered.Task;

        await leave.CancelAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
        var closed = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed);
        Assert.Equal("CANCELLED", closed.Outcome.Status);
    }

    [Fact]
    public async Task Rejects_a_method_that_does_not_exist()
    {
        await using var test = await TestHost.StartAsync();
        var method = new Method<VersionRequest, VersionResponse>(
            MethodType.Unary, "talos.machine.v1.MachineService", "Format", Marshallers.Create(_ => [], _ => new VersionRequest()), Marshallers.Create(_ => [], _ => new VersionResponse()));
        var invoker = test.Channel(test.Authority.Person("ada", "os:admin")).CreateCallInvoker();

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await invoker.AsyncUnaryCall(method, null, default, new VersionRequest()));

        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Fact]
    public async Task Rejects_a_request_beyond_the_limit()
    {
        await using var test = await TestHost.StartAsync(limits: new ApiLimits { RequestBytes = 1024 });

        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await test.As("ada", "os:admin").ServiceRestartAsync(new ServiceRestartRequest { Id = new string('x', 4096) }));

        Assert.Equal((StatusCode.InvalidArgument, "the request is larger than 1024 bytes"), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal("request-too-large", failure.Trailers.GetValue(RefusalException.ReasonTrailer));
    }

    [Fact]
    public async Task Denies_a_connection_that_outlived_its_certificate()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var test = await TestHost.StartAsync(time: time);
        var client = test.As("ada", "os:reader");
        await client.VersionAsync(new VersionRequest());

        time.Advance(TimeSpan.FromHours(9));

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.VersionAsync(new VersionRequest()));
        Assert.Equal((StatusCode.Unauthenticated, "identity-expired"), (failure.StatusCode, failure.Trailers.GetValue(RefusalException.ReasonTrailer)));
    }

    [Fact]
    public async Task Denies_a_revoked_certificate_on_a_connection_that_exists_and_on_a_new_one()
    {
        await using var test = await TestHost.StartAsync();
        var ada = test.Authority.Person("ada", "os:reader");
        using var stream = test.As(ada).Dmesg(new DmesgRequest { Follow = true });
        test.Machine.Chunks.Release();
        Assert.True(await stream.ResponseStream.MoveNext(default));

        test.Revocations.Replace([ada.Certificate.SerialNumber.ToLowerInvariant()], DateTimeOffset.UtcNow);

        await Assert.ThrowsAsync<RpcException>(async () => await stream.ResponseStream.MoveNext(default));
        await Assert.ThrowsAsync<RpcException>(async () => await test.As(ada).VersionAsync(new VersionRequest()));
        var refused = await test.EntryAsync(e => e.Kind == EntryKind.HandshakeFailed);
        Assert.Equal("revoked-certificate", refused.Decision.ReasonId);
        await test.As("bob", "os:reader").VersionAsync(new VersionRequest());
    }

    [Fact]
    public async Task Ends_open_calls_on_the_record_when_the_host_is_disposed_without_having_been_stopped()
    {
        var test = await TestHost.StartAsync();
        await using var ending = test;
        using var stream = test.As("ada", "os:reader").Dmesg(new DmesgRequest { Follow = true }, cancellationToken: TestContext.Current.CancellationToken);
        await test.Machine.Entered.Task.WaitAsync(TestContext.Current.CancellationToken);

        await test.Host.DisposeAsync();

        var end = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed);
        Assert.Equal(("UNAVAILABLE", "the server is stopping"), (end.Outcome.Status, end.Outcome.Message));
    }
}
