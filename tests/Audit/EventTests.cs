using Talos.Audit;
using Xunit;

namespace Talos.Audit.Tests;

public sealed class EventTests
{
    public static TheoryData<Entry, EntryKind, string> Events => new()
    {
        { AuditEvents.ComplianceChanged("kspp", "kspp-1", "pass", "fail", "the kernel lacks X"), EntryKind.Compliance, "before check finding standard verdict" },
        {
            AuditEvents.Drifted("sysctl", "kernel.sysrq", "0", "1", false, ["own.sysrq"], "sysctl `kernel.sysrq` changed from `0` to `1`"),
            EntryKind.Compliance, "after before checks event fact subject"
        },
        { AuditEvents.CertificateRevoked("01ab", "stolen"), EntryKind.CertificateRevoked, "reason serial" },
        { AuditEvents.RolloverStep("introduced", "aa", "bb", "alice"), EntryKind.Rollover, "by incoming outgoing step" },
        { AuditEvents.BundleInForce("r2", "r1", "alice"), EntryKind.Bundle, "before by event revision" },
        { AuditEvents.BundleRefused("r3", "alice", "no rule"), EntryKind.Bundle, "by event reason revision" },
        { AuditEvents.Enrollment("worker-1", true, "token abc", "10.0.0.7"), EntryKind.Enrollment, "basis event name source" },
        { AuditEvents.Boot("v1", "6.12"), EntryKind.Boot, "kernel release" },
        { AuditEvents.Shutdown(), EntryKind.Shutdown, "" },
        { AuditEvents.Upgrade("v1", "v2"), EntryKind.Upgrade, "from to" },
        { AuditEvents.ServiceChanged("trustd", "failed", "exited with 1"), EntryKind.Service, "service state" },
        { AuditEvents.WitnessRefused("demo/cp-1/osd", "w", "forked", 7, "two pasts"), EntryKind.Witness, "log size verdict witness" },
    };

    [Theory]
    [MemberData(nameof(Events))]
    public async Task Accepts_every_event_as_an_entry_with_the_details_that_readers_rely_on(Entry entry, EntryKind kind, string details)
    {
        using LogFolder folder = new();
        await using AuditLog log = folder.Open();

        AuditReceipt receipt = await log.AppendAsync(entry.During(3), TestContext.Current.CancellationToken);

        Entry read = log.Read(receipt.Index, 1).Single().Entry;
        Assert.Equal(kind, read.Kind);
        Assert.Equal("call " + details, string.Join(' ', read.Details.Keys.OrderBy(k => k == "call" ? "" : k, StringComparer.Ordinal)).TrimEnd() + (details.Length == 0 ? " " : ""));
    }

    [Fact]
    public async Task Survives_a_long_value_that_would_be_cut_inside_a_character()
    {
        using LogFolder folder = new();
        await using AuditLog log = folder.Open();

        AuditReceipt receipt = await log.AppendAsync(
            AuditEvents.ServiceChanged("x", "failed", new string('a', 508) + "😀😀"), TestContext.Current.CancellationToken);

        string message = log.Read(receipt.Index, 1).Single().Entry.Message;
        Assert.Equal("x: " + new string('a', 508), message);
    }
}
