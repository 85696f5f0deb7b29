using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Compliance.V1;
using Talos.Api.Server;
using Talos.Checks;
using Talos.CisBench;
using Talos.Kspp;

namespace Talos.Osd;

/// <summary>
/// Runs the checks over the machine as osd sees it: without privilege, so that what only root may read is Unknown and never a pass.
/// </summary>
sealed class ComplianceReporter(TimeProvider time) : ComplianceService.ComplianceServiceBase
{
    // LIMIT: a scan reads thousands of files; two at once would starve a small node.
    static readonly SemaphoreSlim Turn = new(1);

    public override async Task<SystemReportResponse> SystemReport(SystemReportRequest request, ServerCallContext context)
    {
        var catalogues = Select(request.Benchmark);
        await Turn.WaitAsync(context.CancellationToken).ConfigureAwait(false);
        try
        {
            var report = await Task.Run(() => ComplianceScan.Run(catalogues, ProbeRoot.Node(), time), context.CancellationToken).ConfigureAwait(false);
            var response = new SystemReportResponse { Time = report.Time.ToTimestamp() };
            foreach (var result in report.Results) response.Results.Add(Describe(result));
            return response;
        }
        finally
        {
            Turn.Release();
        }
    }

    static CheckCatalogue[] Select(string benchmark)
    {
        CheckCatalogue[] known = [KsppCatalogue.Load(), CisCatalogues.Image, CisCatalogues.Node, CisCatalogues.Linux, CisCatalogues.Kubernetes];
        if (benchmark.Length == 0) return known;
        var chosen = known.Where(c => c.Id == benchmark).ToArray();
        return chosen.Length > 0
            ? chosen
            : throw new RefusalException(RefusalReason.NotFound, $"there is no benchmark `{benchmark}`")
            {
                Hint = $"one of {string.Join(", ", known.Select(c => $"`{c.Id}`"))}",
            };
    }

    static Talos.Api.Compliance.V1.CheckResult Describe(Talos.Checks.CheckResult result) => new()
    {
        Id = result.Check.Id,
        Benchmark = result.Check.Catalogue,
        Title = result.Check.Title,
        Verdict = Translate(result.Verdict),
        Evidence = result.Reason,
        Remediation = result.Check.Remediation,
    };

    static Talos.Api.Compliance.V1.Verdict Translate(Talos.Checks.Verdict verdict) => verdict switch
    {
        Talos.Checks.Verdict.Unknown => Talos.Api.Compliance.V1.Verdict.Unknown,
        Talos.Checks.Verdict.Pass => Talos.Api.Compliance.V1.Verdict.Pass,
        Talos.Checks.Verdict.Fail => Talos.Api.Compliance.V1.Verdict.Fail,
        Talos.Checks.Verdict.NotApplicable => Talos.Api.Compliance.V1.Verdict.NotApplicable,
        Talos.Checks.Verdict.Manual => Talos.Api.Compliance.V1.Verdict.Manual,
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, null),
    };
}
