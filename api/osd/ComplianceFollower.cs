using System.Globalization;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Talos.Api.Compliance.V1;
using Talos.Api.Server;
using Talos.Audit;
using Talos.Policy;

namespace Talos.Osd;

/// <summary>
/// Follows machined's live reading of the node: each change goes on the record, and policy knows where the node stands. While nothing is heard,
/// policy is told that nothing is known. A change is recorded at least once: again only when osd ends between the record and its own note.
/// </summary>
/// <param name="seenFile">Notes which changes are on the record; lost with it, no more than a repetition is lost.</param>
sealed class ComplianceFollower(
    ComplianceService.ComplianceServiceClient machined, NodeDescription node, AuditLog record, string seenFile, TimeProvider time, ILogger log)
{
    // machined tells of itself every five seconds, however little happens.
    static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(20);

    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    string monitor = "";
    ulong seen;

    /// <summary>Follows until cancelled. Never gives up.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        ReadSeen();
        await Following.RunAsync(AttemptAsync, LongestPause, time, cancellation).ConfigureAwait(false);
    }

    async Task<bool> AttemptAsync(int attempt, Action connected, CancellationToken cancellation)
    {
        try
        {
            await FollowAsync(connected, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested
            && e is (RpcException or OperationCanceledException or AuditLogException or IOException or UnauthorizedAccessException))
        {
            log.LogWarning("the node's live reading cannot be followed: {Reason}", e is RpcException rpc ? rpc.Status.Detail : e.Message);
        }
        finally
        {
            Learn(NodeCompliance.Unknown);
        }
        return false;
    }

    async Task FollowAsync(Action connected, CancellationToken cancellation)
    {
        using var call = machined.Watch(new WatchRequest { Monitor = monitor, After = seen }, cancellationToken: cancellation);
        while (await NextAsync(call.ResponseStream, cancellation).ConfigureAwait(false))
        {
            connected();
            var news = call.ResponseStream.Current;
            if (news.Standing is not { } standing) continue;
            Learn(Translate(standing));
            if (standing.Monitor != monitor) (monitor, seen) = (standing.Monitor, 0);
            if (news.Drift is not { } drift || drift.Sequence <= seen) continue;
            if (drift.Sequence > seen + 1) await RecordLossAsync(drift.Sequence - seen - 1).ConfigureAwait(false);
            await record.AppendAsync(Entry(drift), cancellation).ConfigureAwait(false);
            seen = drift.Sequence;
            WriteSeen();
        }
    }

    async Task<bool> NextAsync(IAsyncStreamReader<WatchResponse> news, CancellationToken cancellation)
    {
        using var silence = new CancellationTokenSource(LongestSilence, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellation);
        return await news.MoveNext(either.Token).ConfigureAwait(false);
    }

    async Task RecordLossAsync(ulong count) => await record.AppendAsync(AuditEvents.Drifted(
        "unknown", "", "", "", returned: false, [], $"{count.ToString(CultureInfo.InvariantCulture)} changes of the node were no longer kept when they were asked for"))
        .ConfigureAwait(false);

    void Learn(NodeCompliance reading) => node.Learn(known => known with { Compliance = reading });

    static Entry Entry(Drift drift) => drift.Kind == DriftKind.Verdict
        ? AuditEvents.ComplianceChanged(
            drift.Subject.Split('.')[0], drift.Subject, drift.Before.ToLowerInvariant(), drift.After.ToLowerInvariant(), drift.Sentence)
        : AuditEvents.Drifted(Word(drift.Kind), drift.Subject, drift.Before, drift.After, drift.Returned, drift.Checks, drift.Sentence);

    static NodeCompliance Translate(Standing standing) => new(
        standing.OpenCount == 0 ? DriftState.Clean : DriftState.Drifted,
        [.. standing.Open.Select(d => new DriftedFact(Word(d.Kind), d.Subject, d.Time.ToDateTimeOffset()))],
        standing.Sums.ToDictionary(s => s.Benchmark, s => s.Failed > 0 ? "fail" : s.Unknown > 0 ? "unknown" : "pass"));

    static string Word(DriftKind kind) => kind switch
    {
        DriftKind.Sysctl => "sysctl",
        DriftKind.Mount => "mount",
        DriftKind.Module => "module",
        DriftKind.Mode => "mode",
        DriftKind.Port => "port",
        DriftKind.Verdict => "verdict",
        // Zero, and whatever a machined newer than this osd may say.
        _ => "unknown",
    };

    void ReadSeen()
    {
        try
        {
            if (DurableFile.Read(seenFile)?.Split(' ') is [var name, var number]
                && ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var last)) (monitor, seen) = (name, last);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.LogWarning("changes of the node may be recorded twice: {Reason}", e.Message);
        }
    }

    void WriteSeen() => DurableFile.Write(seenFile, string.Create(CultureInfo.InvariantCulture, $"{monitor} {seen}"));
}
