using Talos.Api.Server;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Service;

/// <summary>Tells everyone who listens that something was revoked, this server first.</summary>
sealed class RevocationFeed(ICertificateLedger ledger, RevocationView own)
{
    volatile TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the next change after it was read.</summary>
    public Task Changed => changed.Task;

    /// <summary>Brings this server's own view up to date and wakes the streams.</summary>
    public void Publish()
    {
        var all = ledger.ListRevocations();
        own.Replace((ulong)(all.Count == 0 ? 0 : all[^1].Sequence), all.Select(r => r.Serial));
        Interlocked.Exchange(ref changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }
}
