using Talos.Api.Compliance.V1;

namespace Talos.Api.Hosting;

public sealed partial class ApiServices
{
    /// <summary>Answers for <c>ComplianceService</c>.</summary>
    public ApiServices Add(ComplianceService.ComplianceServiceBase service) => Add(service, "talos.compliance.v1.ComplianceService", static methods => methods
        .Unary("Report", ReportRequest.Parser, static (s, r, c) => s.Report(r, c))
        .ServerStreaming<WatchRequest, WatchResponse>("Watch", WatchRequest.Parser, static (s, r, w, c) => s.Watch(r, w, c))
        .Unary("History", HistoryRequest.Parser, static (s, r, c) => s.History(r, c)));
}
