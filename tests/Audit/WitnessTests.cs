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
        AuditWitness witness = new(Path.Combine(folder.Path, "witness"), cosigner, [folder.Signer.Key], _time);
        ulong known = 0;
        await using (AuditLog log = folder.Open(_time))
        {
            foreach (int step in (int[])[0, 3, 300, 1])
            {
                for (int i = 0; i < step; i++) await log.AppendAsync(LogFolder.Opened(i));
                AuditCheckpoint checkpoint = log.PublishNow();
                WitnessAnswer answer = witness.Cosign(known, known == 0 ? [] : log.ProveConsistency(known, checkpoint.Size), checkpoint.Note);
                Assert.Equal(WitnessVerdict.Signed, answer.Verdict);
                Assert.True(log.TryAddCosignature(checkpoint, answer.Cosignature, witness.Key));
                known = checkpoint.Size;
            }
            Assert.Equal(WitnessVerdict.WrongSize, witness.Cosign(1, [], log.Checkpoint.Note).Verdict);
            Assert.Equal(304UL, witness.Known(log.Origin)!.Size);
            Assert.Equal(304UL, log.WitnessedCheckpoint!.Size);
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
        AuditWitness witness = new(Path.Combine(folder.Path, "witness"), cosigner, [folder.Signer.Key], _time);
        List<byte[]> entries = MemoryRecord.Calls(300, "node-1");
        MemoryRecord first = MemoryRecord.Sign(entries[..200], folder.Signer);
        Assert.Equal(WitnessVerdict.Signed, witness.Cosign(0, [], first.Note).Verdict);

        entries[17] = MemoryRecord.Alter(entries[17], static e => e.Caller.Name = "nobody");
        MemoryRecord same = MemoryRecord.Sign(entries[..200], folder.Signer), longer = MemoryRecord.Sign(entries, folder.Signer);
        WitnessAnswer answer = witness.Cosign(200, [], same.Note);
        Assert.Equal(WitnessVerdict.Forked, answer.Verdict);
        Assert.Contains(first.Note, answer.Evidence, StringComparison.Ordinal);
        Assert.Contains(same.Note, answer.Evidence, StringComparison.Ordinal);
        // The best proof that the forked log can make for the other root.
        byte[][] leaves = [.. entries.Select(static e => TreeHash.Leaf(e))];
        List<byte[]> proof = MerkleTree.ConsistencyPath(200, 300, (level, index) =>
            TreeHash.Perfect(leaves.Skip((int)(index << level)).Take(1 << level).SelectMany(static h => h).ToArray()));
        Assert.Equal(WitnessVerdict.Forked, witness.Cosign(200, proof, longer.Note).Verdict);
        // What the witness remembers convicts the log offline.
        AuditVerification result = longer.Verify(folder.Signer.Key, witness.Known("node-1.example/audit")!.Note);
        Assert.Contains(result.Findings, static f => f.Defect == AuditDefect.Forked);
    }

    [Fact]
    public void Rejects_checkpoints_of_unknown_logs_and_of_other_keys()
    {
        using LogFolder folder = new();
        using AuditCosigner cosigner = AuditCosigner.Create("w.example");
        using Ed25519CheckpointSigner stranger = Ed25519CheckpointSigner.Create("node-1.example/audit");
        AuditWitness witness = new(Path.Combine(folder.Path, "witness"), cosigner, [folder.Signer.Key], _time);
        MemoryRecord record = MemoryRecord.Sign(MemoryRecord.Calls(10, "node-1"), stranger);
        Assert.Equal(WitnessVerdict.UnknownLog, witness.Cosign(0, [], record.Note).Verdict);
        Assert.Equal(WitnessVerdict.Unreadable, witness.Cosign(0, [], "nothing\n").Verdict);
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
