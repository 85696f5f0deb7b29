using Grpc.Core;
using Talos.Api.Compliance.V1;
using Talos.Checks;
using Talos.CisBench;
using Talos.Machined.Compliance;

namespace Talos.Machined.Api;

/// <summary>Runs the checks over the machine itself. They read and never write; what cannot be read is Unknown and never a pass.</summary>
sealed class ComplianceHandler(LiveReading reading) : ComplianceService.ComplianceServiceBase
{
    // LIMIT: a scan reads thousands of files; two at once would starve a small node.
    static readonly SemaphoreSlim Turn = new(1);

    public override async Task<ReportResponse> Report(ReportRequest request, ServerCallContext context)
    {
        var catalogues = Select(request.Benchmark);
        await Turn.WaitAsync(context.CancellationToken);
        try
        {
            return await Task.Run(() => ComplianceMessages.Describe(Scan(catalogues, request.Benchmark), reading.Waivers, Today), context.CancellationToken);
        }
        finally
        {
            Turn.Release();
        }
    }

    public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchResponse> responseStream, ServerCallContext context)
    {
        var monitor = await reading.AskAsync().WaitAsync(context.CancellationToken);
        ulong? seen = request.NewOnly ? null : request.Monitor == monitor.Standing.Monitor ? request.After : 0;
        await foreach (var news in monitor.WatchAsync(seen, context.CancellationToken))
            await responseStream.WriteAsync(ComplianceMessages.Describe(news), context.CancellationToken);
    }

    public override async Task<HistoryResponse> History(HistoryRequest request, ServerCallContext context)
    {
        var monitor = await reading.AskAsync().WaitAsync(context.CancellationToken);
        var limit = request.Limit is 0 or > int.MaxValue ? int.MaxValue : (int)request.Limit;
        return new HistoryResponse
        {
            Scans = { monitor.History.TakeLast(limit).Select(ComplianceMessages.Describe) },
            Changes = { monitor.Changes.TakeLast(limit).Select(ComplianceMessages.Describe) },
        };
    }

    DateOnly Today => DateOnly.FromDateTime(reading.Time.GetUtcNow().UtcDateTime);

    // What the monitor scans is also what it knows from then on; a node that is still starting is scanned without it.
    ComplianceReport Scan(CheckCatalogue[] catalogues, string benchmark) =>
        benchmark.Length == 0 && reading.Monitor is { } monitor
            ? monitor.Scan()
            : ComplianceScan.Run(catalogues, ProbeRoot.Node(), reading.Time, new(Selected: benchmark.Length == 0 ? reading.IsUsual : null));

    static CheckCatalogue[] Select(string benchmark)
    {
        var usual = LiveReading.Usual;
        if (benchmark.Length == 0)
            return usual;
        // By name only: what an image promises was checked when it was built, and walking a tree that is not an image costs more memory
        // than this process has; a node without Kubernetes would be told a hundred times that there is none.
        CheckCatalogue[] known = [.. usual, CisCatalogues.Kubernetes, CisCatalogues.Image];
        var chosen = known.Where(catalogue => catalogue.Id == benchmark).ToArray();
        return chosen.Length > 0
            ? chosen
            : throw Refusal.Of(
                StatusCode.NotFound, $"there is no benchmark `{benchmark}`", $"one of {string.Join(", ", known.Select(catalogue => $"`{catalogue.Id}`"))}");
    }
}
