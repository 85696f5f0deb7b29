using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Machine.V1;
using Talos.Api.Policy.V1;
using Talos.Audit;
using Xunit;

namespace Talos.Api.Server.Tests;

/// <summary>Bundles pushed to a real server: what is taken, what is refused, and what is in force afterwards.</summary>
public sealed class PolicyPushTests : IDisposable
{
    readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly TestBundle bundle = new();

    public void Dispose()
    {
        key.Dispose();
        bundle.Dispose();
    }

    PolicySource Source => new() { Shipped = TestHost.BundlePath, KeyPem = key.ExportSubjectPublicKeyInfoPem() };

    byte[] Signed() => bundle.Pack(key.ExportPkcs8PrivateKeyPem());

    [Fact]
    public async Task Accepts_a_signed_bundle_at_once_and_records_the_change_and_its_revision()
    {
        await using var test = await TestHost.StartAsync(policy: Source);
        var reader = test.As("rita", "os:reader");
        await reader.VersionAsync(new VersionRequest());
        bundle.Named("r2").Change("talos/authz/data.json", data => data["methods"]!["/talos.machine.v1.MachineService/Version"]!["roles"]!.AsArray().RemoveAt(2));

        var pushed = await Desk(test).PushAsync(new PushRequest { Bundle = ByteString.CopyFrom(Signed()) });

        Assert.Equal("r2", pushed.Revision);
        var denied = await Assert.ThrowsAsync<RpcException>(async () => await reader.VersionAsync(new VersionRequest()));
        Assert.Equal("role_not_allowed", denied.Trailers.GetValue(RefusalException.ReasonTrailer));
        var change = await test.EntryAsync(e => e.Kind == EntryKind.Bundle);
        Assert.Equal(("r2", pushed.PreviousRevision), (change.Details["revision"], change.Details["before"]));
        Assert.Equal("in-force", change.Details["event"]);
        Assert.Equal("ada", change.Details["by"]);
        var closed = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed && e.Decision.Effect == Effect.Deny);
        Assert.Equal("r2", closed.Decision.BundleRevision);
        var status = await Desk(test).StatusAsync(new StatusRequest());
        Assert.Equal(("r2", PolicyOrigin.Pushed, true), (status.Revision, status.Origin, status.SignatureRequired));
    }

    [Theory]
    [InlineData("unsigned", "bundle-signature")]
    [InlineData("tampered", "bundle-signature")]
    [InlineData("other key", "bundle-signature")]
    [InlineData("no archive", "bundle-error")]
    [InlineData("empty", "bundle-error")]
    [InlineData("syntax", "rego-parse-error")]
    [InlineData("drops a method", "missing-rule")]
    [InlineData("misspelt method", "invalid-data")]
    [InlineData("locks out", "lockout")]
    public async Task Rejects_and_leaves_the_old_one_in_force(string what, string reason)
    {
        await using var test = await TestHost.StartAsync(policy: Source);
        var before = test.Policy.Authorizer!.Revision;
        var module = Path.Combine(bundle.Folder, "talos", "authz", "authz.rego");
        var bytes = what switch
        {
            "unsigned" => bundle.Pack(),
            "tampered" => Tampered(),
            "other key" => OtherKey(),
            "no archive" => "no archive"u8.ToArray(),
            "empty" => [],
            "syntax" => After(() => File.AppendAllText(module, "\nallow if {")),
            "drops a method" => After(() => bundle.Without("/talos.machine.v1.MachineService/Mounts")),
            "misspelt method" => After(() => bundle.WantsTwoPeople("/talos.machine.v1.MachineService/Rebot")),
            "locks out" => After(() => bundle.Change("talos/authz/data.json", d => d["methods"]!["/talos.policy.v1.PolicyService/Push"]!["roles"]![0] = "os:nobody")),
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        };

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await Desk(test).PushAsync(new PushRequest { Bundle = ByteString.CopyFrom(bytes) }));

        Assert.Equal(reason, failure.Trailers.GetValue(RefusalException.ReasonTrailer));
        Assert.Equal(before, test.Policy.Authorizer!.Revision);
        Assert.False(Directory.Exists(test.PolicyFolder));
        var refused = await test.EntryAsync(e => e.Kind == EntryKind.Bundle);
        Assert.Equal(("refused", "ada"), (refused.Details["event"], refused.Details["by"]));
        Assert.Equal(what == "locks out", refused.Details.ContainsKey("revision"));
        if (what == "syntax") Assert.Matches(@"talos/authz/authz\.rego:\d+:\d+: rego_parse_error", failure.Status.Detail);
        if (what == "drops a method") Assert.Contains("/talos.machine.v1.MachineService/Mounts", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Accepts_a_dry_run_that_changes_nothing()
    {
        await using var test = await TestHost.StartAsync(policy: Source);
        bundle.Named("r2");

        var checkedOnly = await Desk(test).PushAsync(new PushRequest { Bundle = ByteString.CopyFrom(Signed()), DryRun = true });

        Assert.Equal(("r2", checkedOnly.PreviousRevision), (checkedOnly.Revision, test.Policy.Authorizer!.Revision));
        Assert.False(Directory.Exists(test.PolicyFolder));
    }

    [Fact]
    public async Task Survives_a_restart_and_goes_back_to_the_shipped_one_when_told()
    {
        var folder = Directory.CreateTempSubdirectory("talos-kept-").FullName;
        try
        {
            var source = Source with { Folder = Path.Combine(folder, "policy") };
            await using (var first = await TestHost.StartAsync(policy: source))
                await Desk(first).PushAsync(new PushRequest { Bundle = ByteString.CopyFrom(After(() => bundle.Named("r2"))) });

            await using (var second = await TestHost.StartAsync(policy: source))
            {
                Assert.Equal("r2", second.Policy.Authorizer!.Revision);
                Assert.Equal("r2", (await second.EntryAsync(e => e.Kind == EntryKind.Bundle)).Details["revision"]);
                var restored = await Desk(second).RestoreAsync(new RestoreRequest());
                Assert.Equal(("r2", PolicyOrigin.Shipped), (restored.PreviousRevision, (await Desk(second).StatusAsync(new StatusRequest())).Origin));
            }

            await using var third = await TestHost.StartAsync(policy: source);
            Assert.NotEqual("r2", third.Policy.Authorizer!.Revision);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rejects_at_start_a_kept_bundle_that_is_no_longer_good_and_says_so(bool tampered)
    {
        var folder = Directory.CreateTempSubdirectory("talos-kept-").FullName;
        try
        {
            var source = Source with { Folder = Path.Combine(folder, "policy") };
            await using (var first = await TestHost.StartAsync(policy: source))
                await Desk(first).PushAsync(new PushRequest { Bundle = ByteString.CopyFrom(After(() => bundle.Named("r2"))) });
            using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            if (tampered) File.WriteAllBytes(Path.Combine(source.Folder, "bundle.tar.gz"), Tampered());
            else source = source with { KeyPem = other.ExportSubjectPublicKeyInfoPem() };

            await using var second = await TestHost.StartAsync(policy: source);

            var status = await Desk(second).StatusAsync(new StatusRequest());
            Assert.Equal(PolicyOrigin.Shipped, status.Origin);
            Assert.Contains("bundle_signature", status.KeptBundleError, StringComparison.Ordinal);
            Assert.Contains("is not used", (await second.EntryAsync(e => e.Kind == EntryKind.Bundle)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Accepts_that_a_call_in_flight_ends_under_the_revision_it_began_with()
    {
        await using var test = await TestHost.StartAsync(policy: Source);
        var before = test.Policy.Authorizer!.Revision;
        using var stream = test.As("rita", "os:reader").Dmesg(new DmesgRequest { Follow = true });
        test.Machine.Chunks.Release();
        Assert.True(await stream.ResponseStream.MoveNext(default));

        await Desk(test).PushAsync(new PushRequest { Bundle = ByteString.CopyFrom(After(() => bundle.Named("r2"))) });
        test.Machine.Chunks.Release();
        Assert.True(await stream.ResponseStream.MoveNext(default));
        stream.Dispose();

        var closed = await test.EntryAsync(e => e.Kind == EntryKind.CallClosed && e.Method.EndsWith("/Dmesg", StringComparison.Ordinal));
        Assert.Equal(before, closed.Decision.BundleRevision);
    }

    [Fact]
    public async Task Accepts_questions_for_oneself_and_for_others()
    {
        await using var test = await TestHost.StartAsync(policy: Source);
        var desk = Desk(test, "os:operator");

        var own = await desk.DecideAsync(new DecideRequest { Method = "Reboot" });
        var other = await desk.DecideAsync(new DecideRequest { Method = "reboot", Name = "rita", Roles = { "os:reader" } });
        var nothing = await desk.DecideAsync(new DecideRequest { Method = "Format" });

        Assert.Equal((true, "role_allowed", "/talos.machine.v1.MachineService/Reboot"), (own.Allowed, own.Reason, own.Method));
        Assert.Equal((false, "role_not_allowed"), (other.Allowed, other.Reason));
        Assert.Equal((false, "no_rule"), (nothing.Allowed, nothing.Reason));
        var ambiguous = await Assert.ThrowsAsync<RpcException>(async () => await desk.DecideAsync(new DecideRequest { Method = "List" }));
        Assert.Equal(StatusCode.InvalidArgument, ambiguous.StatusCode);
    }

    byte[] After(Action change)
    {
        change();
        return Signed();
    }

    byte[] Tampered()
    {
        var signatures = Talos.Policy.PolicyBundle.Sign(bundle.Folder, key.ExportPkcs8PrivateKeyPem(), "test");
        File.AppendAllText(Path.Combine(bundle.Folder, "talos", "authz", "authz.rego"), "\ngranted if true\n");
        return Talos.Policy.PolicyBundle.Pack(bundle.Folder, signatures);
    }

    byte[] OtherKey()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return bundle.Pack(other.ExportPkcs8PrivateKeyPem());
    }

    static PolicyService.PolicyServiceClient Desk(TestHost test, string role = "os:admin") => new(test.Channel(test.Authority.Person("ada", role)));
}
