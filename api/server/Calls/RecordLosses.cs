using Microsoft.Extensions.Logging;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>Tells the operator that entries were not recorded, without one line for each: a full disk fails every call.</summary>
sealed class RecordLosses(TimeProvider time, ILogger log)
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    readonly Lock gate = new();
    long? told;
    int untold;

    public void Add(int lost, AuditLogException reason)
    {
        int count;
        lock (gate)
        {
            untold += lost;
            if (told is { } last && time.GetElapsedTime(last) < Pause) return;
            told = time.GetTimestamp();
            count = untold;
            untold = 0;
        }
        log.LogError("{Count} entries were not recorded: {Reason}", count, reason.Message);
    }
}
