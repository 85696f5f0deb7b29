using Google.Protobuf;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>What trustd puts on its record besides the calls, read from what it leaves behind.</summary>
public sealed class RecordTests : IAsyncLifetime
{
    RunningTrustd trustd = null!;

    public async ValueTask InitializeAsync() => trustd = await RunningTrustd.StartAsync();

    public ValueTask DisposeAsync() => trustd.DisposeAsync();

    [Fact]
    public async Task Records_what_it_does_and_for_which_call()
    {
        var administrator = await trustd.AdministratorAsync();
        using var worker = CertificateSigningRequest.Create("worker-1");
        await trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(worker.Der.Span), Token = trustd.NodeToken.Reveal() });
        using var other = CertificateSigningRequest.Create("worker-9");
        var waiting = await trustd.Stranger().EnrollmentApplyAsync(new EnrollmentApplyRequest { Csr = ByteString.CopyFrom(other.Der.Span) });
        await administrator.EnrollmentDenyAsync(new EnrollmentDecisionRequest { Id = waiting.Id });
        await administrator.TokenRevokeAsync(new TokenRevokeRequest { Id = trustd.NodeToken.Id });
        var serial = (await administrator.CertificateRevokeAsync(new CertificateRevokeRequest { Name = "worker-1", Reason = "lost" })).Serials.Single();

        await trustd.RestartAsync(() =>
        {
            using var record = trustd.OpenRecord();
            var entries = record.Read(0, long.MaxValue).ToArray();
            Entry[] Of(EntryKind kind) => [.. entries.Select(e => e.Entry).Where(e => e.Kind == kind)];

            Assert.Contains(Of(EntryKind.Rollover), e => e.Details["step"] == "created");
            Assert.Contains(Of(EntryKind.CertificateIssued), e => (e.Details["name"], e.Details["serial"], CallOf(e, entries)) == ("worker-1", serial, "Enroll"));
            Assert.Contains(Of(EntryKind.Enrollment), e => (e.Details["name"], e.Details["event"], CallOf(e, entries)) == ("worker-1", "admitted", "Enroll"));
            Assert.Contains(Of(EntryKind.Enrollment), e => (e.Details["name"], e.Details["event"], CallOf(e, entries)) == ("worker-9", "refused", "EnrollmentDeny"));
            Assert.Contains(Of(EntryKind.Token), e => (e.Details["token"], e.Details["event"], CallOf(e, entries)) == (trustd.NodeToken.Id, "revoked", "TokenRevoke"));
            var revoked = Assert.Single(Of(EntryKind.CertificateRevoked));
            Assert.Equal((serial, "lost", "CertificateRevoke"), (revoked.Details["serial"], revoked.Details["reason"], CallOf(revoked, entries)));
        });
    }

    [Theory]
    [InlineData(EntryKind.Boot, 1)]
    [InlineData(EntryKind.Bundle, 2)]
    [InlineData(EntryKind.Shutdown, 2)]
    [InlineData(EntryKind.Upgrade, 1)]
    public async Task Records_its_starts_and_its_ends(EntryKind kind, int times)
    {
        // The machine boots once, the service starts twice, the second time in another release.
        await trustd.RestartAsync(() => Talos.Api.Server.DurableFile.Write(Path.Combine(trustd.Folder, "state", "release"), "v0.0.1\n"));

        await trustd.RestartAsync(() =>
        {
            using var record = trustd.OpenRecord();
            var entries = record.Read(0, long.MaxValue).Select(r => r.Entry).Where(e => e.Kind == kind).ToArray();
            Assert.Equal(times, entries.Length);
            if (kind == EntryKind.Upgrade) Assert.Equal("v0.0.1", entries[0].Details["from"]);
            if (kind == EntryKind.Bundle) Assert.All(entries, e => Assert.Equal("in-force", e.Details["event"]));
        });
    }

    // The method of the call that an event names by the index of its opening; empty for what trustd does by itself.
    static string CallOf(Entry entry, AuditRecord[] entries)
    {
        if (!entry.Details.TryGetValue("call", out var call)) return "";
        var opening = entries[int.Parse(call, System.Globalization.CultureInfo.InvariantCulture)].Entry;
        Assert.Equal(EntryKind.CallOpened, opening.Kind);
        return opening.Method[(opening.Method.LastIndexOf('/') + 1)..];
    }
}
