using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Compliance.V1;
using Talos.Checks;
using Talos.CisBench;
using Talos.Kspp;

namespace Talos.Machined.Api;

/// <summary>Runs the checks over the machine itself. They read and never write; what cannot be read is Unknown and never a pass.</summary>
sealed class ComplianceHandler(TimeProvider time) : ComplianceService.ComplianceServiceBase
{
    // LIMIT: a scan reads thousands of files; two at once would starve a small node.
    static readonly SemaphoreSlim Turn = new(1);

    public override async Task<SystemReportResponse> SystemReport(SystemReportRequest request, ServerCallContext context)
    {
        var catalogues = Select(request.Benchmark);
        await Turn.WaitAsync(context.CancellationToken);
        try
        {
            var report = await Task.Run(() => ComplianceScan.Run(catalogues, ProbeRoot.Node(), time), context.CancellationToken);
            var response = new SystemReportResponse { Time = report.Time.ToTimestamp() };
            response.Results.Add(report.Results.Select(Describe));
            return response;
        }
        finally
        {
            Turn.Release();
        }
    }

    static CheckCatalogue[] Select(string benchmark)
    {
        CheckCatalogue[] usual = [KsppCatalogue.Load(), CisCatalogues.Node, CisCatalogues.Linux];
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
        Talos.Checks.Verdict.Pass => Talos.Api.Compliance.V1.Verdict.Pass,
        Talos.Checks.Verdict.Fail => Talos.Api.Compliance.V1.Verdict.Fail,
        Talos.Checks.Verdict.NotApplicable => Talos.Api.Compliance.V1.Verdict.NotApplicable,
        Talos.Checks.Verdict.Manual => Talos.Api.Compliance.V1.Verdict.Manual,
        // The zero value, and whatever an engine newer than this contract may say.
        _ => Talos.Api.Compliance.V1.Verdict.Unknown,
    };
}
