using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Talos.Audit.Tests;

public sealed class RetentionTests
{
    [Fact]
    public async Task Survives_the_removal_of_old_entries_and_still_verifies()
    {
        using LogFolder folder = new();
        FakeTimeProvider time = new(DateTimeOffset.UnixEpoch.AddYears(60));
        await using (AuditLog log = folder.Open(time))
        {
            for (int i = 0; i < 1000; i++)
            {
                await log.AppendAsync(LogFolder.Opened(i));
                time.Advance(TimeSpan.FromMinutes(1));
            }
            ulong first = await log.RetainAsync(new AuditRetention { MaxAge = TimeSpan.FromMinutes(400) });
            Assert.Equal(512UL, first);
            Assert.Equal(AuditLogReason.NoSuchEntry, Assert.Throws<AuditLogException>(() => log.Read(511, 1).Count()).Reason);
            Assert.Equal(512UL, log.Read(512, 1).Single().Index);
            Assert.Null(log.ProveInclusion(512).Check(log.Key).Error);
            Assert.Equal(1001UL, log.Size);
        }
        AuditVerification result = AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [folder.Signer.Key] });
        Assert.True(result.Verdict == AuditVerdict.Verified, string.Join("; ", result.Findings.Select(static f => f.Message)));
        Assert.Equal(512UL, result.FirstIndex);

        await using (AuditLog again = folder.Open(time))
        {
            Assert.Equal(512UL, again.FirstIndex);
            await again.AppendAsync(LogFolder.Opened(1));
            Assert.Equal(768UL, await again.RetainAsync(new AuditRetention { MaxBytes = 10_000 }));
        }
        result = AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [folder.Signer.Key] });
        Assert.True(result.Verdict == AuditVerdict.Verified, string.Join("; ", result.Findings.Select(static f => f.Message)));

        // A copy of what is left verifies too.
        string copied = Path.Combine(folder.Path, "copy");
        await using (AuditLog pruned = folder.Open(time))
        {
            AuditFolder copy = new(copied);
            foreach (AuditFile file in pruned.Files()) copy.Put(file);
        }
        result = AuditVerifier.Verify(copied, new AuditVerifierOptions { LogKeys = [folder.Signer.Key] });
        Assert.True(result.Verdict == AuditVerdict.Verified, string.Join("; ", result.Findings.Select(static f => f.Message)));
        Assert.Equal((768UL, 1003UL), (result.FirstIndex, result.Size));

        // Without the signed statement the same files are a log whose beginning was cut off.
        string statement = Path.Combine(folder.LogPath, "retention");
        byte[] signed = File.ReadAllBytes(statement);
        File.Delete(statement);
        result = AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [folder.Signer.Key] });
        Assert.Equal(AuditVerdict.Failed, result.Verdict);
        Assert.Equal(0UL, result.FirstBadIndex);
        // And no one but the log can move it.
        File.WriteAllBytes(statement, [.. signed.Select(static b => b == (byte)'7' ? (byte)'5' : b)]);
        result = AuditVerifier.Verify(folder.LogPath, new AuditVerifierOptions { LogKeys = [folder.Signer.Key] });
        Assert.Contains(result.Findings, static f => f.Defect == AuditDefect.RetentionForged);
    }

    [Fact]
    public async Task Survives_retention_of_what_no_exporter_has_taken_yet()
    {
        using LogFolder folder = new();
        FakeTimeProvider time = new(DateTimeOffset.UnixEpoch.AddYears(60));
        await using AuditLog log = folder.Open(time);
        for (int i = 0; i < 600; i++) await log.AppendAsync(LogFolder.Opened(i));
        time.Advance(TimeSpan.FromDays(1));
        log.PublishNow();
        Assert.Equal(256UL, await log.RetainAsync(new AuditRetention { MaxAge = TimeSpan.FromHours(1), KeepFrom = 300 }));
    }
}
