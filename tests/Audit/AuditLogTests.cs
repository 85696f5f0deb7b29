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
