using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Talos.Pki;
using Xunit;

namespace Talos.Api.Server.Tests;

public sealed class NodeIdentityTests : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly string folder = Directory.CreateTempSubdirectory("talos-identity-").FullName;
    readonly FakeTimeProvider time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    readonly TestAuthority authority;
    readonly FakeSource source;
    readonly CancellationTokenSource stop = new();

    public NodeIdentityTests()
    {
        authority = new TestAuthority(time: time);
        source = new FakeSource(authority, "cp-1");
    }

    [Fact]
    public async Task Accepts_a_first_certificate_and_keeps_it_for_its_owner_alone()
    {
        var identity = Open();
        var run = identity.RunAsync(stop.Token);
        await identity.Ready.WaitAsync(Patience);

        Assert.Equal("cp-1", identity.Slot.Current!.Certificate.GetNameInfo(System.Security.Cryptography.X509Certificates.X509NameType.SimpleName, false));
        await EndAsync(run);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder, "identity.pem")));
        Assert.False(File.Exists(Path.Combine(folder, "pending.pem")));
    }

    [Fact]
    public async Task Survives_a_restart_without_enrolling_again()
    {
        var first = Open();
        var run = first.RunAsync(stop.Token);
        await first.Ready.WaitAsync(Patience);
        await EndAsync(run);

        var second = Open();

        Assert.True(second.Ready.IsCompletedSuccessfully);
        Assert.Equal(first.Slot.Current!.Certificate.SerialNumber, second.Slot.Current!.Certificate.SerialNumber);
        Assert.Equal(1, source.Enrolled);
    }

    [Fact]
    public async Task Accepts_a_new_certificate_before_the_old_one_ends()
    {
        var identity = Open();
        var run = identity.RunAsync(stop.Token);
        await identity.Ready.WaitAsync(Patience);
        await source.Asked.WaitAsync(Patience);
        var before = identity.Slot.Current!.Certificate;

        await AdvanceUntilAsync(source.Asked.WaitAsync());

        await EndAsync(run);
        Assert.Equal((1, 1), (source.Enrolled, source.Renewed));
        Assert.NotEqual(before.SerialNumber, identity.Slot.Current!.Certificate.SerialNumber);
        Assert.NotEqual(source.Keys[0], source.Keys[1]);
    }

    /// <summary>Addresses come and go; an authority that refuses a renewal for one would take a machine out of the fleet within a day.</summary>
    [Fact]
    public async Task Asks_in_a_renewal_for_nothing_that_its_certificate_does_not_name()
    {
        var first = Open();
        var run = first.RunAsync(stop.Token);
        await first.Ready.WaitAsync(Patience);
        await EndAsync(run);

        using var later = new CancellationTokenSource();
        var second = Open(null, "cp-1", "127.0.0.1", "fec0::1", "10.0.0.9", "other");
        var renewal = second.RunAsync(later.Token);
        await source.Asked.WaitAsync(Patience);
        await AdvanceUntilAsync(source.Asked.WaitAsync());
        await later.CancelAsync();
        await renewal;

        Assert.Equal(["cp-1 127.0.0.1", "cp-1 127.0.0.1"], source.Names);
        Assert.Equal((1, 1), (source.Enrolled, source.Renewed));
    }

    [Fact]
    public void Accepts_moments_between_one_half_and_two_thirds_of_a_life()
    {
        var material = authority.Node("cp-1");
        var begin = new DateTimeOffset(material.Certificate.NotBefore.ToUniversalTime());
        var life = new DateTimeOffset(material.Certificate.NotAfter.ToUniversalTime()) - begin;

        var parts = Enumerable.Range(0, 1000).Select(_ => (NodeIdentity.MomentToRenew(material) - begin) / life).ToArray();

        Assert.All(parts, part => Assert.InRange(part, 0.5, 2.0 / 3));
        // Nodes that started together do not ask together.
        Assert.True(parts.Max() - parts.Min() > 0.1);
    }

    [Fact]
    public async Task Survives_trustd_being_away_and_asks_with_the_same_key_until_it_answers()
    {
        source.Refusal = new EnrollmentException(EnrollmentFailure.Unreachable, "nobody answers");
        var identity = Open();
        var run = identity.RunAsync(stop.Token);
        for (var i = 0; i < 3; i++)
        {
            await AdvanceUntilAsync(source.Asked.WaitAsync());
        }
        Assert.False(identity.Ready.IsCompleted);

        source.Refusal = null;
        await AdvanceUntilAsync(identity.Ready);

        await EndAsync(run);
        Assert.Single(source.Keys.Distinct());
    }

    [Fact]
    public async Task Accepts_enrolling_again_after_the_certificate_expired()
    {
        var first = Open();
        var run = first.RunAsync(stop.Token);
        await first.Ready.WaitAsync(Patience);
        await EndAsync(run);
        time.Advance(TimeSpan.FromHours(30));

        using var again = new CancellationTokenSource();
        var second = Open();
        Assert.False(second.Ready.IsCompleted);
        run = second.RunAsync(again.Token);
        await second.Ready.WaitAsync(Patience);

        await again.CancelAsync();
        await run;
        Assert.Equal((2, 0), (source.Enrolled, source.Renewed));
    }

    [Fact]
    public async Task Rejects_a_certificate_for_another_key()
    {
        var other = authority.Node("cp-1").Certificate.RawData;
        await RejectsAsync(grant => grant with { Certificate = other });
    }

    [Fact]
    public async Task Rejects_a_certificate_for_another_kind_of_peer()
    {
        source.Profile = CertificateProfile.Trustd;
        await RejectsAsync(grant => grant);
    }

    [Fact]
    public async Task Rejects_a_certificate_that_the_bundle_does_not_vouch_for()
    {
        using var other = new TestAuthority(time: time);
        await RejectsAsync(grant => grant with { BundlePem = other.BundlePem });
    }

    [Fact]
    public async Task Rejects_a_key_file_that_others_may_read()
    {
        var identity = Open();
        var run = identity.RunAsync(stop.Token);
        await identity.Ready.WaitAsync(Patience);
        await EndAsync(run);
        File.SetUnixFileMode(Path.Combine(folder, "identity.pem"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        var failure = Assert.Throws<IOException>(Open);

        Assert.Contains("0600", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Survives_a_damaged_file_by_enrolling_again()
    {
        File.WriteAllText(Path.Combine(folder, "identity.pem"), "-----BEGIN PRIVATE KEY-----\nAAAA\n");
        File.WriteAllText(Path.Combine(folder, "bundle.pem"), authority.BundlePem);
        foreach (var file in Directory.GetFiles(folder)) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var identity = Open();
        var run = identity.RunAsync(stop.Token);
        await identity.Ready.WaitAsync(Patience);

        await EndAsync(run);
        Assert.Equal(1, source.Enrolled);
    }

    [Fact]
    public async Task Says_what_to_do_about_a_disk_whose_certificate_names_another_machine()
    {
        var first = Open();
        using var off = new CancellationTokenSource();
        var run = first.RunAsync(off.Token);
        await first.Ready.WaitAsync(Patience);
        await off.CancelAsync();
        await run;
        source.Refusal = new EnrollmentException(EnrollmentFailure.Refused, "the token `abcdefgh` is used up");
        var log = new Lines();

        var renamed = NodeIdentity.Open(
            new NodeIdentityOptions { Folder = folder, Cluster = "demo", Name = "cp-2", Kind = PeerKind.Node, Names = ["cp-2"], Time = time }, source, log);
        run = renamed.RunAsync(stop.Token);
        // Asked again and again, and told once.
        for (var i = 0; i < 4; i++) await AdvanceUntilAsync(source.Asked.WaitAsync());
        await EndAsync(run);

        Assert.Null(renamed.Slot.Current);
        Assert.Equal(2, log.Told.Count);
        Assert.EndsWith("identity.pem is of no use: the certificate is for `cp-1`, not for `cp-2`", log.Told[0], StringComparison.Ordinal);
        Assert.StartsWith("no first certificate: the token `abcdefgh` is used up; the state disk is another machine's, or this one was renamed: ", log.Told[1], StringComparison.Ordinal);
        Assert.Contains("the certificate is for `cp-1`, not for `cp-2`; hint: give the machine that name again, or", log.Told[1], StringComparison.Ordinal);
        Assert.Contains("`osctl token create --name cp-2`", log.Told[1], StringComparison.Ordinal);
    }

    sealed class Lines : ILogger
    {
        public List<string> Told { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Told.Add(formatter(state, exception));
    }

    [Fact]
    public async Task Trusts_what_it_learned_under_its_configuration_when_its_certificate_ended_while_it_was_off()
    {
        using var next = new TestAuthority(time: time);
        await FollowedAsync(authority.Roots, next);

        Assert.Equal(next.Roots.Anchors, Assert.Single(await EnrolsAgainAsync(authority.Roots))!.Anchors);
    }

    [Fact]
    public async Task Trusts_its_configuration_again_once_that_pins_something_else_than_it_enrolled_under()
    {
        using var next = new TestAuthority(time: time);
        using var third = new TestAuthority(time: time);
        await FollowedAsync(authority.Roots, next);

        Assert.Null(Assert.Single(await EnrolsAgainAsync(third.Roots)));
        // Enrolled under the new pin now, so what is learned from here on stands for that one.
        Assert.Equal(authority.Roots.Anchors, Assert.Single(await EnrolsAgainAsync(third.Roots))!.Anchors);
        Assert.Null(Assert.Single(await EnrolsAgainAsync(authority.Roots)));
    }

    [Fact]
    public async Task Learns_nothing_in_place_of_a_configuration_that_pins_nothing()
    {
        using var next = new TestAuthority(time: time);
        await FollowedAsync(null, next);

        Assert.Null(Assert.Single(await EnrolsAgainAsync(authority.Roots)));
    }

    // A machine that enrolled, was told of another authority and went off.
    async Task FollowedAsync(TrustStore? pinned, TestAuthority next)
    {
        var identity = Open(pinned);
        using var off = new CancellationTokenSource();
        var run = identity.RunAsync(off.Token);
        await identity.Ready.WaitAsync(Patience);
        identity.Adopt(next.BundlePem);
        await off.CancelAsync();
        await run;
    }

    // What it is told to trust when it comes back after its certificate ended.
    async Task<IReadOnlyList<TrustStore?>> EnrolsAgainAsync(TrustStore? pinned)
    {
        time.Advance(TimeSpan.FromDays(2));
        source.Learned.Clear();
        var identity = Open(pinned);
        using var off = new CancellationTokenSource();
        var run = identity.RunAsync(off.Token);
        await identity.Ready.WaitAsync(Patience);
        await off.CancelAsync();
        await run;
        return [.. source.Learned];
    }

    public void Dispose()
    {
        stop.Dispose();
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    NodeIdentity Open() => Open(null);

    NodeIdentity Open(TrustStore? pinned, params string[] names) => NodeIdentity.Open(
        new NodeIdentityOptions
        {
            Folder = folder,
            Cluster = "demo",
            Name = "cp-1",
            Kind = PeerKind.Node,
            Names = names.Length > 0 ? names : ["cp-1", "127.0.0.1"],
            Pinned = pinned,
            Time = time,
        },
        source, NullLogger.Instance);

    async Task RejectsAsync(Func<CertificateGrant, CertificateGrant> spoil)
    {
        source.Spoil = spoil;
        var identity = Open();
        var run = identity.RunAsync(stop.Token);
        await source.Asked.WaitAsync(Patience);
        // The second question shows that the first answer was refused.
        await AdvanceUntilAsync(source.Asked.WaitAsync());
        Assert.Null(identity.Slot.Current);
        Assert.False(File.Exists(Path.Combine(folder, "identity.pem")));
        await EndAsync(run);
    }

    async Task EndAsync(Task run)
    {
        await stop.CancelAsync();
        await run;
    }

    async Task AdvanceUntilAsync(Task done)
    {
        var started = Stopwatch.GetTimestamp();
        while (!done.IsCompleted)
        {
            if (Stopwatch.GetElapsedTime(started) > Patience) throw new TimeoutException("what was waited for did not happen");
            // What waits on the clock runs on other threads and needs a moment of real time.
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.WhenAny(done, Task.Delay(2));
        }
        await done;
    }
}
