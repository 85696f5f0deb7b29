using System.Diagnostics;
using Xunit;

namespace Talos.Audit.Tests;

public sealed class DiskFullTests
{
    [Fact]
    public async Task Denies_appends_on_a_full_disk_and_takes_them_again_when_there_is_room()
    {
        using LogFolder folder = new();
        string mount = Path.Combine(folder.Path, "small");
        Directory.CreateDirectory(mount);
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", mount), "SKIPPED: a small file system cannot be mounted here (not root)");
        try
        {
            File.WriteAllBytes(Path.Combine(mount, "ballast"), new byte[14 * 1024 * 1024]);
            // No commit but those that somebody waits for.
            AuditLogOptions options = new() { Signer = folder.Signer, Node = "node-1", Linger = TimeSpan.FromHours(1) };
            string path = Path.Combine(mount, "log");
            ulong acknowledged = 0;
            await using (AuditLog log = AuditLog.Open(path, options))
            {
                AuditLogException? refused = null;
                while (refused is null)
                {
                    try
                    {
                        AuditReceipt[] receipts = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => log.AppendAsync(Large(i)).AsTask()));
                        acknowledged = receipts[^1].Index + 1;
                    }
                    catch (AuditLogException e)
                    {
                        refused = e;
                    }
                    Assert.True(log.Size < 100_000, "the disk never filled");
                }
                Assert.Equal(AuditLogReason.DiskFull, refused.Reason);
                Assert.Contains("no space left", refused.Message, StringComparison.Ordinal);
                // What was acknowledged is still there to read.
                Assert.Equal(acknowledged - 1, log.Read(acknowledged - 1, 1).Single().Index);

                // One after the other, so that not even one fits any more.
                while (refused is not null)
                {
                    try
                    {
                        acknowledged = (await log.AppendAsync(Large(0))).Index + 1;
                    }
                    catch (AuditLogException)
                    {
                        refused = null;
                    }
                }
                List<int> losing = [];
                log.Losing += (count, _) => losing.Add(count);
                PendingEntry opening = await log.QueueAsync(Large(1)), other = await log.QueueAsync(Large(2)), awaited = await log.QueueAsync(Large(3));
                Assert.Equal(
                    AuditLogReason.DiskFull, (await Assert.ThrowsAsync<AuditLogException>(async () => await log.DurableAsync(awaited))).Reason);
                Assert.Equal([2], losing);
                Assert.False(opening.IsDurable || other.IsDurable);
                // The end of a call that is not on the record would name another entry.
                await Assert.ThrowsAsync<AuditLogException>(
                    async () => await log.QueueAsync(new Entry { Kind = EntryKind.CallClosed, OpenedIndex = opening.Index }, after: opening));

                File.Delete(Path.Combine(mount, "ballast"));
                AuditReceipt after = await log.AppendAsync(Large(0));
                Assert.Equal(acknowledged + 1, after.Index);
                Entry lost = log.Read(acknowledged, 1).Single().Entry;
                Assert.Equal((EntryKind.Lost, "3"), (lost.Kind, lost.Details["count"]));
                acknowledged = after.Index + 1;
            }
            await using (AuditLog again = AuditLog.Open(path, options)) Assert.True(again.Size >= acknowledged);
            AuditVerification result = AuditVerifier.Verify(path, new AuditVerifierOptions { LogKeys = [folder.Signer.Key] });
            Assert.True(result.Verdict == AuditVerdict.Verified, string.Join("; ", result.Findings.Select(static f => f.Message)));
        }
        finally
        {
            Assert.True(Run("umount", mount), "the small file system could not be taken away");
        }
    }

    static Entry Large(int i)
    {
        Entry entry = LogFolder.Opened(i);
        entry.Message = new string('x', 2000);
        return entry;
    }

    static bool Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program) { RedirectStandardError = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
