using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Policy;
using Talos.Trustd.Issuance;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Service;

sealed partial class TrustService
{
    public override Task<EnrollmentApplyResponse> EnrollmentApply(EnrollmentApplyRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        Admit(call);
        return registrar.KeepRefusalsAsync(Evidence.Enrollment, call, async () =>
        {
            var csr = Parse(request.Csr);
            var enrollment = await enrollments.ApplyAsync(cluster, csr, call.Caller.Source.ToString(), context.CancellationToken);
            call.Note("enrollment", enrollment.Id);
            var answer = new EnrollmentApplyResponse { State = StateOf(enrollment.State), Id = enrollment.Id, Expires = enrollment.Expires.ToTimestamp() };
            if (enrollment.State == LedgerEnrollmentState.Approved)
            {
                answer.Issued = await IssueAsync(Evidence.OfApproval(enrollment), csr, new CertificateWish { Name = "" }, context);
                answer.State = EnrollmentState.Issued;
                await enrollments.EndAsync(enrollment, Talos.Pki.Certificate.Parse(answer.Issued.Certificate.Span).Require().Serial);
            }
            // The answer may have been lost on the way. It is no secret: it is worth nothing without the key.
            else if (enrollment.State == LedgerEnrollmentState.Issued)
            {
                var issued = ledger.FindCertificate(enrollment.Serial) ?? throw new InvalidOperationException("an issued enrollment has no certificate");
                var now = authorities.Current;
                answer.Issued = new CertificateResponse { Certificate = ByteString.CopyFrom(issued.Der.Span), BundlePem = now.BundlePem };
                foreach (var intermediate in now.Intermediates) answer.Issued.Intermediates.Add(ByteString.CopyFrom(intermediate.Span));
            }
            return answer;
        });
    }

    public override Task<EnrollmentListResponse> EnrollmentList(EnrollmentListRequest request, ServerCallContext context)
    {
        Admit(ServedCall.Of(context));
        var answer = new EnrollmentListResponse();
        var most = Rows(request.Limit);
        answer.More = Fill(answer.Enrollments, enrollments.List(most + 1).Select(Describe), most);
        return Task.FromResult(answer);
    }

    public override Task<EnrollmentDecisionResponse> EnrollmentApprove(EnrollmentDecisionRequest request, ServerCallContext context) =>
        DecideAsync(request, LedgerEnrollmentState.Approved, context);

    public override Task<EnrollmentDecisionResponse> EnrollmentDeny(EnrollmentDecisionRequest request, ServerCallContext context) =>
        DecideAsync(request, LedgerEnrollmentState.Denied, context);

    async Task<EnrollmentDecisionResponse> DecideAsync(EnrollmentDecisionRequest request, LedgerEnrollmentState state, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        var by = call.Caller.Identity?.Name ?? throw new RefusalException(RefusalReason.NotIdentified, "a decision needs a name to it");
        var decided = await enrollments.DecideAsync(request.Id, request.Fingerprint, state, by, context.CancellationToken);
        var denial = state == LedgerEnrollmentState.Denied ? $"denied by {by}" : "";
        await record.AppendAsync(
            AuditEvents.Enrollment(decided.Name, denial.Length == 0, $"enrollment {decided.Id} {decided.Fingerprint} decided by {by}", decided.Source, denial).During(call.OpenedIndex),
            CancellationToken.None);
        return new EnrollmentDecisionResponse { Enrollment = Describe(decided) };
    }

    static Enrollment Describe(LedgerEnrollment enrollment) => new()
    {
        Id = enrollment.Id,
        State = StateOf(enrollment.State),
        Name = enrollment.Name,
        Names = { enrollment.DnsNames.Concat(enrollment.Addresses) },
        Fingerprint = enrollment.Fingerprint,
        Source = enrollment.Source,
        Requested = enrollment.Requested.ToTimestamp(),
        Expires = enrollment.Expires.ToTimestamp(),
        DecidedBy = enrollment.DecidedBy,
        Serial = enrollment.Serial,
    };

    static EnrollmentState StateOf(LedgerEnrollmentState state) => state switch
    {
        LedgerEnrollmentState.Pending => EnrollmentState.Pending,
        LedgerEnrollmentState.Denied => EnrollmentState.Denied,
        LedgerEnrollmentState.Approved => EnrollmentState.Approved,
        LedgerEnrollmentState.Issued => EnrollmentState.Issued,
    };
}
