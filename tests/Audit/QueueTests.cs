using Xunit;

namespace Talos.Audit.Tests;

// Entries that get their place at once and are on disk a little later.
public sealed class QueueTests
{
    // Long enough that a test which relies on it would hang.
    static readonly TimeSpan Never = TimeSpan.FromHours(1);

    static AuditLog Open(LogFolder folder, TimeSpan linger) =>
        AuditLog.Open(folder.LogPath, new AuditLogOptions { Signer = folder.Signer, Node = "node-1", Linger = linger });

    static Entry Closed(PendingEntry opening) => new() { Kind = EntryKind.CallClosed, OpenedIndex = opening.Index };

    [Fact]
    public async Task Is_on_disk_before_an_entry_behind_it_is_acknowledged()
    {
        using LogFolder folder = new();
        await using AuditLog log = Open(folder, Never);
        PendingEntry opening = await log.QueueAsync(LogFolder.Opened(0));
        PendingEntry closing = await log.QueueAsync(Closed(opening), after: opening);
        Assert.False(opening.IsDurable);
        Assert.Equal(0UL, log.Size);

        AuditReceipt receipt = await log.AppendAsync(LogFolder.Opened(1));

        Assert.True(opening.IsDurable && closing.IsDurable);
        Assert.Equal((0UL, 1UL, 2UL), (opening.Index, closing.Index, receipt.Index));
        Assert.Equal(0UL, log.Read(1, 1).Single().Entry.OpenedIndex);
        Assert.Equal(TreeHash.Leaf(log.Read(0, 1).Single().Raw.Span), (await log.DurableAsync(opening)).LeafHash.ToArray());
    }

    [Fact]
    public async Task Is_on_disk_when_somebody_comes_to_wait_for_it()
    {
        using LogFolder folder = new();
        await using AuditLog log = Open(folder, Never);
        PendingEntry opening = await log.QueueAsync(LogFolder.Opened(0));

        Assert.Equal(0UL, (await log.DurableAsync(opening)).Index);

        Assert.Equal(1UL, log.Size);
    }

    [Fact]
    public async Task Is_on_disk_soon_though_nobody_waits()
    {
        using LogFolder folder = new();
        await using AuditLog log = Open(folder, new AuditLogOptions { Signer = folder.Signer, Node = "" }.Linger);
        await log.QueueAsync(LogFolder.Opened(0));

        await foreach (AuditRecord record in log.FollowAsync(0, TestContext.Current.CancellationToken))
        {
            Assert.Equal("0", record.Entry.Details["n"]);
            return;
        }
        Assert.Fail("the log was closed");
    }

    [Fact]
    public async Task Waits_for_its_place_when_a_commit_is_full_and_keeps_the_order()
    {
        using LogFolder folder = new();
        await using AuditLog log = Open(folder, Never);
        const int entries = 40_000;
        PendingEntry[] pending = new PendingEntry[entries];
        for (int i = 0; i < entries; i++) pending[i] = await log.QueueAsync(LogFolder.Opened(i));

        await log.DurableAsync(pending[^1]);

        Assert.Equal((ulong)entries, log.Size);
        int n = 0;
        foreach (AuditRecord record in log.Read(0, long.MaxValue))
        {
            Assert.Equal((ulong)n, pending[n].Index);
            Assert.Equal(n++, int.Parse(record.Entry.Details["n"], System.Globalization.CultureInfo.InvariantCulture));
        }
        Assert.Equal(entries, n);
    }

    [Fact]
    public async Task Is_written_when_the_log_is_closed()
    {
        using LogFolder folder = new();
        AuditLog log = Open(folder, Never);
        PendingEntry pending = await log.QueueAsync(LogFolder.Opened(0));

        await log.DisposeAsync();

        Assert.True(pending.IsDurable);
        await Assert.ThrowsAsync<AuditLogException>(async () => await log.QueueAsync(LogFolder.Opened(1)));
    }
}
