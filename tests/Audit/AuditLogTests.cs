using Xunit;

namespace Talos.Audit.Tests;

public sealed class AuditLogTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(700)]
    public async Task Survives_close_and_open_with_every_entry_in_its_place(int count)
    {
        using LogFolder folder = new();
        List<AuditReceipt> receipts = [];
        await using (AuditLog log = folder.Open())
        {
            Task<AuditReceipt>[] appends = [.. Enumerable.Range(0, count).Select(i => log.AppendAsync(LogFolder.Opened(i)).AsTask())];
            receipts.AddRange(await Task.WhenAll(appends));
        }
        await using AuditLog again = folder.Open();
        Assert.Equal((ulong)count, again.Size);
        Assert.Equal((ulong)count, again.Checkpoint.Size);
        Assert.Equal(Enumerable.Range(0, count).Select(i => (ulong)i), receipts.Select(r => r.Index));
        AuditRecord[] records = [.. again.Read(0, long.MaxValue)];
        Assert.Equal(count, records.Length);
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(i.ToString(System.Globalization.CultureInfo.InvariantCulture), records[i].Entry.Details["n"]);
            Assert.Equal(receipts[i].LeafHash.ToArray(), TreeHash.Leaf(records[i].Raw.Span));
        }
    }

    [Fact]
    public async Task Accepts_its_own_proofs_for_every_entry_and_every_pair_of_sizes()
    {
        using LogFolder folder = new();
        await using AuditLog log = folder.Open();
        List<(ulong Size, byte[] Root)> roots = [];
        foreach (int step in (int[])[1, 1, 2, 3, 120, 129, 1, 255, 300])
        {
            await Task.WhenAll(Enumerable.Range(0, step).Select(i => log.AppendAsync(LogFolder.Opened(i)).AsTask()));
            AuditCheckpoint checkpoint = log.PublishNow();
            roots.Add((checkpoint.Size, checkpoint.RootHash.ToArray()));
        }
        for (ulong index = 0; index < log.Size; index++)
        {
            AuditProof proof = log.ProveInclusion(index);
            Assert.True(AuditProof.TryParse(proof.ToText(), out AuditProof? parsed, out string error), error);
            Assert.Null(parsed.Check(log.Key).Error);
        }
        foreach ((ulong size1, byte[] root1) in roots)
            foreach ((ulong size2, byte[] root2) in roots.Where(r => r.Size >= size1))
                Assert.Equal(
                    MerkleVerdict.Verified, MerkleProof.CheckConsistency(size1, size2, log.ProveConsistency(size1, size2), root1, root2));
    }

    [Fact]
    public async Task Survives_the_loss_of_power_and_records_the_repair()
    {
        using LogFolder folder = new();
        AuditLog log = folder.Open();
        for (int i = 0; i < 300; i++) await log.AppendAsync(LogFolder.Opened(i));
        string copy = folder.LogPath + "-copy";
        CopyTree(folder.LogPath, copy);
        await log.DisposeAsync();
        Directory.Delete(folder.LogPath, recursive: true);
        Directory.Move(copy, folder.LogPath);

        await using AuditLog again = folder.Open();
        Assert.Equal(301UL, again.Size);
        AuditRecord repair = again.Read(300, 1).Single();
        Assert.Equal(EntryKind.Repair, repair.Entry.Kind);
        Assert.Equal("300", repair.Entry.Details["recovered"]);
    }

    [Fact]
    public async Task Rejects_a_second_opener()
    {
        using LogFolder folder = new();
        await using AuditLog log = folder.Open();
        Assert.Equal(AuditLogReason.InUse, Assert.Throws<AuditLogException>(() => folder.Open()).Reason);
    }

    [Fact]
    public async Task Survives_turns_of_the_journal_with_retention_in_between()
    {
        using LogFolder folder = new();
        ulong last = 0;
        for (int round = 0; round < 3; round++)
        {
            await using AuditLog log = folder.Open();
            for (int burst = 0; burst < 8; burst++)
            {
                AuditReceipt[] receipts = await Task.WhenAll(Enumerable.Range(0, 500).Select(i =>
                {
                    Entry entry = LogFolder.Opened(i);
                    entry.Message = new string('x', 2500);
                    return log.AppendAsync(entry).AsTask();
                }));
                last = receipts.Max(static r => r.Index);
            }
            Assert.True(await log.RetainAsync(new AuditRetention { MaxBytes = 3_000_000 }) > 0);
        }
        AuditVerification result = AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [folder.Signer.Key] });
        Assert.True(result.Verdict == AuditVerdict.Verified, string.Join("; ", result.Findings.Select(static f => f.Message)));
        Assert.Equal(last + 2, result.Size);
        Assert.True(result.FirstIndex > 8000);
    }

    [Fact]
    public async Task Rejects_at_open_what_no_crash_leaves_behind()
    {
        using LogFolder folder = new();
        await using (AuditLog log = folder.Open())
            for (int i = 0; i < 300; i++) await log.AppendAsync(LogFolder.Opened(i));
        string journal = Path.Combine(folder.LogPath, "journal.a"), checkpoint = Path.Combine(folder.LogPath, "checkpoint");
        byte[] whole = File.ReadAllBytes(journal), note = File.ReadAllBytes(checkpoint);

        // Everything behind the first 100 writes is gone, though the checkpoint covers it.
        byte[] cut = [.. whole];
        int offset = 0;
        for (int i = 0; i < 100; i++)
        {
            Assert.True(JournalFrame.TryHeader(cut.AsSpan(offset), out JournalFrame.Header header));
            offset += JournalFrame.Padded(JournalFrame.HeaderBytes + header.PayloadBytes);
        }
        cut.AsSpan(offset).Clear();
        File.WriteAllBytes(journal, cut);
        AuditLogException damaged = Assert.Throws<AuditLogException>(() => folder.Open());
        Assert.Equal(AuditLogReason.Damaged, damaged.Reason);
        Assert.Contains("covers 300 entries, but only 100", damaged.Message, StringComparison.Ordinal);
        // The refusal signed nothing.
        Assert.Equal(note, File.ReadAllBytes(checkpoint));

        File.WriteAllBytes(journal, whole);
        using Ed25519CheckpointSigner other = Ed25519CheckpointSigner.Create("node-1.example/audit");
        Assert.Equal(AuditLogReason.ForeignLog, Assert.Throws<AuditLogException>(
            () => AuditLog.Open(folder.LogPath, new AuditLogOptions { Signer = other, Node = "node-1" })).Reason);
        // A key that was replaced is accepted when it is named.
        await using (AuditLog rotated = AuditLog.Open(folder.LogPath, new AuditLogOptions { Signer = other, Node = "node-1", FormerKeys = [folder.Signer.Key] }))
        {
            await rotated.AppendAsync(LogFolder.Opened(1));
            Assert.Equal(301UL, rotated.PublishNow().Size);
        }
        Assert.Equal(AuditVerdict.Verified, AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [other.Key] }).Verdict);
    }

    [Fact]
    public async Task Accepts_a_copy_of_the_files_it_hands_out_while_it_grows()
    {
        using LogFolder folder = new();
        string export = Path.Combine(folder.Path, "export");
        await using (AuditLog log = folder.Open())
        {
            for (int i = 0; i < 300; i++) await log.AppendAsync(LogFolder.Opened(i));
            AuditFolder copy = new(export);
            foreach (AuditFile file in log.Files())
            {
                // What comes meanwhile is not in the copy and does not harm it.
                await log.AppendAsync(LogFolder.Opened(0));
                log.PublishNow();
                copy.Put(file);
            }
        }
        AuditVerification result = AuditVerifier.Verify(export, new AuditVerifierOptions { LogKeys = [folder.Signer.Key] });
        Assert.Equal(AuditVerdict.Verified, result.Verdict);
        Assert.Equal(300, result.OpenCalls.Count);
    }

    [Theory]
    [InlineData("checkpoint", true)]
    [InlineData("checkpoint.witnessed", true)]
    [InlineData("retention", true)]
    [InlineData("tile/0/000", true)]
    [InlineData("tile/5/x001/x234/067.p/255", true)]
    [InlineData("tile/entries/x001/000.p/1", true)]
    [InlineData("tile/entries/x000/000", false)]
    [InlineData("tile/entries/000.p/256", false)]
    [InlineData("tile/entries/000.p/01", false)]
    [InlineData("tile/6/000", false)]
    [InlineData("tile/00/000", false)]
    [InlineData("tile/0/../../../etc/passwd", false)]
    [InlineData("../checkpoint", false)]
    [InlineData("/etc/passwd", false)]
    [InlineData("lock", false)]
    [InlineData("journal.a", false)]
    [InlineData("", false)]
    public void Rejects_files_that_no_record_has(string path, bool expected) => Assert.Equal(expected, AuditFolder.IsFile(path));

    [Fact]
    public async Task Finds_the_newest_entries_that_fit_backwards()
    {
        using LogFolder folder = new();
        await using AuditLog log = folder.Open();
        for (int i = 0; i < 600; i++) await log.AppendAsync(LogFolder.Opened(i));

        Assert.Equal([400UL, 500UL], log.ReadNewest(2, r => r.Index % 100 == 0, TestContext.Current.CancellationToken).Select(r => r.Index));
        Assert.Equal(6, log.ReadNewest(20, r => r.Index % 100 == 0, TestContext.Current.CancellationToken).Count);
        Assert.Empty(log.ReadNewest(20, r => r.Index > 600, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Follows_what_comes_and_ends_with_the_log()
    {
        using LogFolder folder = new();
        AuditLog log = folder.Open();
        List<ulong> seen = [];
        Task follow = Task.Run(async () =>
        {
            await foreach (AuditRecord record in log.FollowAsync(2)) seen.Add(record.Index);
        });
        for (int i = 0; i < 600; i++) await log.AppendAsync(LogFolder.Opened(i));
        await log.DisposeAsync();
        await follow;
        Assert.Equal(Enumerable.Range(2, 598).Select(static i => (ulong)i), seen);
        Assert.Equal(AuditLogReason.Closed, (await Assert.ThrowsAsync<AuditLogException>(async () => await log.AppendAsync(LogFolder.Opened(0)))).Reason);
    }

    [Fact]
    public async Task Records_a_clock_that_was_set_and_verifies()
    {
        using LogFolder folder = new();
        SettableClock time = new();
        await using (AuditLog log = folder.Open(time))
        {
            await log.AppendAsync(LogFolder.Opened(0));
            time.SetForward = TimeSpan.FromSeconds(90);
            AuditReceipt after = await log.AppendAsync(LogFolder.Opened(1));
            Assert.Equal(2UL, after.Index);
            AuditRecord jump = log.Read(1, 1).Single();
            Assert.Equal(EntryKind.ClockJump, jump.Entry.Kind);
            Assert.InRange(long.Parse(jump.Entry.Details["by_nanos"], System.Globalization.CultureInfo.InvariantCulture), 89_000_000_000, 91_000_000_000);
        }
        AuditVerification result = AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [folder.Signer.Key] });
        Assert.True(result.Verdict == AuditVerdict.Verified, string.Join("; ", result.Findings.Select(static f => f.Message)));
        Assert.Equal([1UL], result.Incidents);
    }

    // The wall clock can be set; the monotonic one runs on.
    sealed class SettableClock : TimeProvider
    {
        public TimeSpan SetForward { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + SetForward;
    }

    static void CopyTree(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock"))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
