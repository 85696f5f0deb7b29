using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>
/// Looks after one record while its service runs: sends it to its receivers and removes what need not be kept any longer. A call never
/// waits for any of this; what fails is tried again, and <see cref="Exporters"/> says so.
/// </summary>
public sealed class RecordKeeper
{
    static readonly TimeSpan RetentionInterval = TimeSpan.FromMinutes(10);

    readonly AuditLog record;
    readonly AuditSection settings;
    readonly RecordExport[] exports;
    readonly TimeProvider time;
    readonly ILogger log;

    /// <param name="folder">The service's own folder; cursors and files of exporters lie in `export` below it.</param>
    /// <param name="own">The certificate shown to receivers that ask for one.</param>
    /// <exception cref="InvalidDataException">A filter of an exporter is none; the message names both.</exception>
    public RecordKeeper(AuditLog record, AuditSection settings, string folder, TrustSlot own, TimeProvider time, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(settings);
        this.record = record;
        this.settings = settings;
        this.time = time;
        this.log = log;
        exports = [.. settings.Exporters.Select(exporter => new RecordExport(record, exporter, Path.Combine(folder, "export"), own, time, log))];
    }

    /// <summary>How each exporter is doing, in the order of the configuration.</summary>
    public IReadOnlyList<ExporterState> Exporters => [.. exports.Select(e => e.State)];

    /// <summary>Runs until cancelled; never throws.</summary>
    public Task RunAsync(CancellationToken cancellation) =>
        Task.WhenAll([RetainAsync(cancellation), .. exports.Select(e => e.RunAsync(cancellation))]);

    async Task RetainAsync(CancellationToken cancellation)
    {
        if (settings.MaxAge is null && settings.MaxBytes is null) return;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var before = record.FirstIndex;
                var first = await record.RetainAsync(Policy(), cancellation).ConfigureAwait(false);
                if (first != before)
                    log.LogInformation("entries {First} to {Last} were removed under the retention policy", before, first - 1);
            }
            catch (AuditLogException e)
            {
                log.LogWarning("old entries could not be removed: {Reason}", e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(RetentionInterval, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // What a receiver does not have yet is not removed: a receiver that stays away is seen in the status long before the disk is full.
    AuditRetention Policy() => new()
    {
        MaxAge = settings.MaxAge,
        MaxBytes = settings.MaxBytes,
        KeepFrom = exports.Length == 0 ? ulong.MaxValue : exports.Min(e => e.Delivered),
    };
}

/// <summary>How one exporter is doing.</summary>
/// <param name="Name">As configured.</param>
/// <param name="Target">Where it delivers to.</param>
/// <param name="Delivered">Index of the first entry that is not known to be delivered.</param>
/// <param name="Lag">Entries recorded and not known to be delivered.</param>
/// <param name="Failures">Deliveries that failed and were tried again, since the service started.</param>
/// <param name="Missed">Entries that were gone before they could be delivered, since the service started.</param>
/// <param name="LastError">Why the last delivery failed; empty when it did not.</param>
public sealed record ExporterState(string Name, string Target, ulong Delivered, long Lag, long Failures, ulong Missed, string LastError);
