using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Talos.Api.Machine.V1;
using Talos.Audit;
using Xunit;

namespace Talos.Api.Server.Tests;

public sealed class HandshakeTests
{
    [Fact]
    public async Task Rejects_a_caller_without_a_certificate()
    {
        await using var test = await TestHost.StartAsync();

        await Rejected(test, null);

        await Recorded(test, "no-certificate");
    }

    [Fact]
    public async Task Rejects_a_certificate_of_another_authority()
    {
        await using var test = await TestHost.StartAsync();
        using var other = new TestAuthority();

        await Rejected(test, other.Person("eve", "os:admin"));

        var entry = await Recorded(test, "untrusted-certificate");
        Assert.Contains("eve", entry.Details["claimed_subject"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejects_a_certificate_of_another_cluster_under_the_same_root()
    {
        using var other = new TestAuthority("other");
        await using var test = await TestHost.StartAsync();
        test.Slot.Set(new TrustMaterial(test.Slot.Current!.Certificate, [], other.Roots));

        await Rejected(test, other.Person("eve", "os:admin"));

        await Recorded(test, "untrusted-certificate");
    }

    [Fact]
    public async Task Rejects_a_certificate_that_has_expired()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var test = await TestHost.StartAsync(time: time);
        time.Advance(TimeSpan.FromHours(9));

        await Rejected(test, test.Authority.Person("ada", "os:reader"));

        await Recorded(test, "expired-certificate");
    }

    [Fact]
    public async Task Rejects_TLS_1_2()
    {
        await using var test = await TestHost.StartAsync();
        var tls = TestHost.ClientTls(test.Authority.Person("ada", "os:admin"));
        tls.EnabledSslProtocols = SslProtocols.Tls12;
        using var socket = new TcpClient();
        await socket.ConnectAsync(test.Host.Endpoint);
        await using var stream = new SslStream(socket.GetStream());

        await Assert.ThrowsAnyAsync<Exception>(() => stream.AuthenticateAsClientAsync(tls));

        await Recorded(test, "tls-version");
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    public async Task Rejects_plain_text(string text)
    {
        await using var test = await TestHost.StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(test.Host.Endpoint);

        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text));

        Assert.Equal(0, await ReadToEndAsync(socket.GetStream()));
        await Recorded(test, "not-tls");
    }

    [Fact]
    public async Task Rejects_a_peer_that_says_nothing()
    {
        await using var test = await TestHost.StartAsync(limits: new ApiLimits { Handshake = TimeSpan.FromMilliseconds(200) });
        using var socket = new TcpClient();
        await socket.ConnectAsync(test.Host.Endpoint);

        Assert.Equal(0, await ReadToEndAsync(socket.GetStream()));

        await Recorded(test, "handshake-timeout");
    }

    [Fact]
    public async Task Rejects_more_connections_from_one_source_than_it_may_hold()
    {
        await using var test = await TestHost.StartAsync(limits: new ApiLimits { ConnectionsPerSource = 1 });
        await test.As("ada", "os:reader").VersionAsync(new VersionRequest());

        await Rejected(test, test.Authority.Person("bob", "os:reader"));

        await Recorded(test, "too-many-connections");
    }

    [Fact]
    public async Task Survives_many_failures_from_one_source_without_filling_the_record()
    {
        await using var test = await TestHost.StartAsync();
        for (var i = 0; i < 40; i++)
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(test.Host.Endpoint);
            await socket.GetStream().WriteAsync("hello"u8.ToArray());
            await ReadToEndAsync(socket.GetStream());
        }
        await test.As("ada", "os:reader").VersionAsync(new VersionRequest());
        await test.EntryAsync(e => e.Kind == EntryKind.CallClosed);

        Assert.Equal(20, test.Log.Read(0, long.MaxValue).Count(r => r.Entry.Kind == EntryKind.HandshakeFailed));
    }

    [Fact]
    public async Task Survives_a_rotation_in_the_middle_of_a_stream()
    {
        await using var test = await TestHost.StartAsync();
        var ada = test.Authority.Person("ada", "os:reader");
        using var stream = test.As(ada).Dmesg(new DmesgRequest { Follow = true });
        test.Machine.Chunks.Release();
        Assert.True(await stream.ResponseStream.MoveNext(default));
        var before = test.Slot.Current!.Certificate.SerialNumber;

        test.Slot.Set(test.Authority.Node("cp-1"));

        test.Machine.Chunks.Release();
        Assert.True(await stream.ResponseStream.MoveNext(default));
        string? seen = null;
        var fresh = new MachineService.MachineServiceClient(test.Channel(ada, server => seen = server.SerialNumber));
        await fresh.VersionAsync(new VersionRequest());
        Assert.Equal(test.Slot.Current!.Certificate.SerialNumber, seen);
        Assert.NotEqual(before, seen);
    }

    [Fact]
    public async Task Accepts_a_caller_without_a_certificate_where_that_is_allowed()
    {
        await using var test = await TestHost.StartAsync(ClientCertificates.Optional);
        using var other = new TestAuthority();

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await test.As((TrustMaterial?)null).VersionAsync(new VersionRequest()));
        Assert.Equal(StatusCode.PermissionDenied, failure.StatusCode);

        // One that is sent has to be good all the same.
        await Rejected(test, other.Person("eve", "os:admin"));
        await Recorded(test, "untrusted-certificate");
    }

    static async Task Rejected(TestHost test, TrustMaterial? own)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await test.As(own).VersionAsync(new VersionRequest()));
        Assert.DoesNotContain(failure.StatusCode, new[] { StatusCode.OK, StatusCode.PermissionDenied });
        Assert.Null(failure.Trailers.GetValue(RefusalException.ReasonTrailer));
    }

    static async Task<Entry> Recorded(TestHost test, string reason)
    {
        var entry = await test.EntryAsync(e => e.Kind == EntryKind.HandshakeFailed);
        Assert.Equal((reason, IPAddress.Loopback.ToString(), Effect.Deny), (entry.Decision.ReasonId, entry.Caller.SourceAddress, entry.Decision.Effect));
        return entry;
    }

    static async Task<int> ReadToEndAsync(NetworkStream stream)
    {
        try
        {
            return await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        }
        catch (IOException)
        {
            // A reset tells as much as an end.
            return 0;
        }
    }
}
