using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Talos.Api.Configuration;
using Talos.Pki;
using Xunit;

namespace Talos.Api.Server.Tests;

/// <summary>A node that follows revocations while its trust changes: in a change of the authority each moves at its own pace.</summary>
public sealed class TrustdRevocationsTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Asks_for_all_lists_again_when_one_is_of_an_authority_that_it_does_not_trust_yet()
    {
        using var next = new TestAuthority();
        var trustd = new FakeTrustd(TokenSecret.Generate());
        await using var test = await TestHost.StartAsync(more: services => services.Add(trustd));
        trustd.Lists = [test.Authority.List("0a01"), next.List("0b01")];
        var own = test.Authority.Node("worker-1");
        var slot = new TrustSlot();
        slot.Set(own);
        test.Slot.Set(test.Authority.Trustd("cp-1"));
        var view = new RevocationView();
        using var stop = new CancellationTokenSource();
        Endpoint[] endpoints = [new("127.0.0.1", test.Host.Endpoint.Port)];
        var following = TrustdRevocations.Open(
            new TrustdConnections("demo", TimeProvider.System), endpoints, slot, view, TimeProvider.System, NullLogger.Instance).RunAsync(stop.Token);

        // Twice: the stream was given up and begun anew, though nothing but this list was wrong with it.
        await UntilAsync(() => trustd.Streams >= 2);
        Assert.Equal(RevocationStatus.Revoked, view.Check("0a01"));
        Assert.NotEqual(RevocationStatus.Revoked, view.Check("0b01"));
        // Never confirmed, so as old as the list that it believes.
        var asOf = view.AsOf;
        Assert.True(asOf is null || asOf <= trustd.Lists[0].ThisUpdate);

        slot.Set(own.With(TrustStore.Create(test.Authority.Roots.Anchors[0], next.Roots.Anchors[0])));
        await UntilAsync(() => view.Check("0b01") == RevocationStatus.Revoked);
        await UntilAsync(() => view.AsOf > trustd.Lists[0].ThisUpdate);
        Assert.Equal(RevocationStatus.Revoked, view.Check("0a01"));
        var streams = trustd.Streams;
        await stop.CancelAsync();
        await following;
        Assert.Equal(streams, trustd.Streams);
    }

    static async Task UntilAsync(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < Patience, "what was waited for did not happen");
            await Task.Delay(10);
        }
    }
}
