using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Talos.Audit.Tests;

public sealed class WitnessTests
{
    readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(60));

    [Fact]
    public async Task Accepts_a_log_that_only_grows_and_verification_finds_the_signature()
    {
        using LogFolder folder = new();
        using AuditCosigner cosigner = AuditCosigner.Create("node-2.example/witness");
        AuditWitness witness = new(Path.Combine(folder.Path, "witness"), cosigner, _time);
        ulong known = 0;
        await using (AuditLog log = folder.Open(_time))
        {
            foreach (int step in (int[])[0, 3, 300, 1])
            {
                for (int i = 0; i < step; i++) await log.AppendAsync(LogFolder.Opened(i));
                AuditCheckpoint checkpoint = log.PublishNow();
                WitnessAnswer answer = witness.Cosign(folder.Signer.Key, known, known == 0 ? [] : log.ProveConsistency(known, checkpoint.Size), checkpoint.Note);
                Assert.Equal(WitnessVerdict.Signed, answer.Verdict);
                Assert.True(log.TryAddCosignature(checkpoint, answer.Cosignature, witness.Key));
                known = checkpoint.Size;
            }
            Assert.Equal(WitnessVerdict.WrongSize, witness.Cosign(folder.Signer.Key, 1, [], log.Checkpoint.Note).Verdict);
            Assert.Equal(304UL, witness.Known(log.Key)!.Size);
            Assert.Equal(304UL, log.WitnessedCheckpoints.Single().Size);
        }
        AuditVerification result = AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [folder.Signer.Key], Witnesses = [witness.Key] });
        Assert.Equal(AuditVerdict.Verified, result.Verdict);
        Assert.Equal(304UL, result.Witnesses.Single().Size);
        Assert.Equal(_time.GetUtcNow(), result.Witnesses.Single().Time);

        using AuditCosigner other = AuditCosigner.Create("node-3.example/witness");
        result = AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [folder.Signer.Key], Witnesses = [other.Key] });
        Assert.Equal(AuditDefect.WitnessMissing, result.Findings.Single().Defect);
    }

    [Fact]
    public void Rejects_a_log_that_shows_two_pasts_and_keeps_both()
    {
        using LogFolder folder = new();
        using AuditCosigner cosigner = AuditCosigner.Create("node-2.example/witness");
        AuditWitness witness = new(Path.Combine(folder.Path, "witness"), cosigner, _time);
        List<byte[]> entries = MemoryRecord.Calls(300, "node-1");
        MemoryRecord first = MemoryRecord.Sign(entries[..200], folder.Signer);
        Assert.Equal(WitnessVerdict.Signed, witness.Cosign(folder.Signer.Key, 0, [], first.Note).Verdict);

        entries[17] = MemoryRecord.Alter(entries[17], static e => e.Caller.Name = "nobody");
        MemoryRecord same = MemoryRecord.Sign(entries[..200], folder.Signer), longer = MemoryRecord.Sign(entries, folder.Signer);
        WitnessAnswer answer = witness.Cosign(folder.Signer.Key, 200, [], same.Note);
        Assert.Equal(WitnessVerdict.Forked, answer.Verdict);
        Assert.Contains(first.Note, answer.Evidence, StringComparison.Ordinal);
        Assert.Contains(same.Note, answer.Evidence, StringComparison.Ordinal);
        // The best proof that the forked log can make for the other root.
        byte[][] leaves = [.. entries.Select(static e => TreeHash.Leaf(e))];
        List<byte[]> proof = MerkleTree.ConsistencyPath(200, 300, (level, index) =>
            TreeHash.Perfect(leaves.Skip((int)(index << level)).Take(1 << level).SelectMany(static h => h).ToArray()));
        Assert.Equal(WitnessVerdict.Forked, witness.Cosign(folder.Signer.Key, 200, proof, longer.Note).Verdict);
        // What the witness remembers convicts the log offline.
        AuditVerification result = longer.Verify(folder.Signer.Key, witness.Known(folder.Signer.Key)!.Note);
        Assert.Contains(result.Findings, static f => f.Defect == AuditDefect.Forked);
    }

    [Fact]
    public void Rejects_checkpoints_of_unknown_logs_and_of_other_keys()
    {
        using LogFolder folder = new();
        using AuditCosigner cosigner = AuditCosigner.Create("w.example");
        using Ed25519CheckpointSigner stranger = Ed25519CheckpointSigner.Create("node-1.example/audit");
        AuditWitness witness = new(Path.Combine(folder.Path, "witness"), cosigner, _time);
        MemoryRecord record = MemoryRecord.Sign(MemoryRecord.Calls(10, "node-1"), stranger);
        Assert.Equal(WitnessVerdict.UnknownLog, witness.Cosign(folder.Signer.Key, 0, [], record.Note).Verdict);
        Assert.Equal(WitnessVerdict.Unreadable, witness.Cosign(folder.Signer.Key, 0, [], "nothing\n").Verdict);
    }

    [Fact]
    public void Rejects_an_older_copy_and_says_so_once()
    {
        using LogFolder folder = new();
        using AuditCosigner cosigner = AuditCosigner.Create("node-2.example/witness");
        AuditWitness witness = new(Path.Combine(folder.Path, "witness"), cosigner, _time);
        List<byte[]> entries = MemoryRecord.Calls(300, "node-1");
        Assert.Equal(WitnessVerdict.Signed, witness.Cosign(folder.Signer.Key, 0, [], MemoryRecord.Sign(entries, folder.Signer).Note).Verdict);

        MemoryRecord older = MemoryRecord.Sign(entries[..200], folder.Signer);
        WitnessAnswer answer = witness.Cosign(folder.Signer.Key, 0, [], older.Note);
        Assert.Equal((WitnessVerdict.RolledBack, 300UL, true), (answer.Verdict, answer.KnownSize, answer.IsNews));
        Assert.Contains(older.Note, answer.Evidence, StringComparison.Ordinal);
        answer = witness.Cosign(folder.Signer.Key, 0, [], older.Note);
        Assert.Equal((WitnessVerdict.RolledBack, false), (answer.Verdict, answer.IsNews));
    }

    [Fact]
    public void Finds_a_log_that_was_made_anew_under_another_key()
    {
        using LogFolder folder = new();
        using AuditCosigner cosigner = AuditCosigner.Create("node-2.example/witness");
        using Ed25519CheckpointSigner anew = Ed25519CheckpointSigner.Create(folder.Signer.Key.Name);
        AuditWitness witness = new(Path.Combine(folder.Path, "witness"), cosigner, _time);
        List<byte[]> entries = MemoryRecord.Calls(300, "node-1");
        Assert.Null(witness.Cosign(folder.Signer.Key, 0, [], MemoryRecord.Sign(entries, folder.Signer).Note).FormerKey);

        WitnessAnswer answer = witness.Cosign(anew.Key, 0, [], MemoryRecord.Sign(entries[..10], anew).Note);

        Assert.Equal((WitnessVerdict.Signed, true, folder.Signer.Key.ToString()), (answer.Verdict, answer.IsNews, answer.FormerKey?.ToString()));
        Assert.Equal(300UL, witness.Known(folder.Signer.Key)!.Size);
    }

    [Fact]
    public async Task Keeps_for_each_witness_the_newest_that_it_signed()
    {
        using LogFolder folder = new();
        using AuditCosigner first = AuditCosigner.Create("a.example/witness"), second = AuditCosigner.Create("b.example/witness");
        await using AuditLog log = folder.Open(_time);
        AuditCheckpoint? shared = null, later = null;
        for (int i = 1; i <= 3; i++)
        {
            await log.AppendAsync(LogFolder.Opened(i));
            AuditCheckpoint checkpoint = log.PublishNow();
            Assert.True(log.TryAddCosignature(checkpoint, first.Line(checkpoint.TextBytes, _time.GetUtcNow()), first.Key));
            if (i == 2)
            {
                shared = checkpoint;
                Assert.True(log.TryAddCosignature(checkpoint, second.Line(checkpoint.TextBytes, _time.GetUtcNow()), second.Key));
            }
            later = checkpoint;
        }
        Assert.Equal([2UL, 3UL], log.WitnessedCheckpoints.Select(c => c.Size));
        // Neither an older one nor another's line takes the place of what is there.
        Assert.False(log.TryAddCosignature(shared!, first.Line(shared!.TextBytes, _time.GetUtcNow()), first.Key));
        Assert.False(log.TryAddCosignature(later!, second.Line(shared.TextBytes, _time.GetUtcNow()), second.Key));
        Assert.False(log.TryAddCosignature(later!, first.Line(later!.TextBytes, _time.GetUtcNow()), second.Key));

        AuditVerification result = AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [folder.Signer.Key], Witnesses = [first.Key, second.Key] });
        Assert.Equal(AuditVerdict.Verified, result.Verdict);
        Assert.Equal([3UL, 2UL], result.Witnesses.Select(w => w.Size!.Value));
        // A proof leads to the largest checkpoint that a witness signed.
        Assert.Null(log.ProveInclusion(0).Check(log.Key, [first.Key]).Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Accepts_a_log_signed_by_a_key_of_the_platform(bool reopened)
    {
        using LogFolder folder = new();
        // What a TPM or a token would hold reaches the log as the platform's ECDsa.
        using EcdsaCheckpointSigner signer = new("tpm.example/audit", System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256));
        for (int round = 0; round < (reopened ? 2 : 1); round++)
        {
            await using AuditLog log = AuditLog.Open(folder.LogPath, new AuditLogOptions { Signer = signer, Node = "n" });
            await log.AppendAsync(LogFolder.Opened(round));
        }
        Assert.True(NoteVerifierKey.TryParse(signer.Key.ToString(), out NoteVerifierKey? key, out string error), error);
        Assert.Equal(AuditVerdict.Verified, AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [key] }).Verdict);
    }
}
