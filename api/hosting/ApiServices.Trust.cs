using Talos.Api.Trust.V1;

namespace Talos.Api.Hosting;

public sealed partial class ApiServices
{
    /// <summary>Answers for <c>TrustService</c>.</summary>
    public ApiServices Add(TrustService.TrustServiceBase service) => Add(service, "talos.trust.v1.TrustService", static methods => methods
        .Unary("CABundle", CABundleRequest.Parser, static (s, r, c) => s.CABundle(r, c))
        .Unary("Enroll", EnrollRequest.Parser, static (s, r, c) => s.Enroll(r, c))
        .Unary("EnrollmentApply", EnrollmentApplyRequest.Parser, static (s, r, c) => s.EnrollmentApply(r, c))
        .Unary("EnrollmentList", EnrollmentListRequest.Parser, static (s, r, c) => s.EnrollmentList(r, c))
        .Unary("EnrollmentApprove", EnrollmentDecisionRequest.Parser, static (s, r, c) => s.EnrollmentApprove(r, c))
        .Unary("EnrollmentDeny", EnrollmentDecisionRequest.Parser, static (s, r, c) => s.EnrollmentDeny(r, c))
        .Unary("Renew", RenewRequest.Parser, static (s, r, c) => s.Renew(r, c))
        .Unary("IssueClient", IssueClientRequest.Parser, static (s, r, c) => s.IssueClient(r, c))
        .Unary("LoginProvider", LoginProviderRequest.Parser, static (s, r, c) => s.LoginProvider(r, c))
        .Unary("Login", LoginRequest.Parser, static (s, r, c) => s.Login(r, c))
        .Unary("TokenCreate", TokenCreateRequest.Parser, static (s, r, c) => s.TokenCreate(r, c))
        .Unary("TokenList", TokenListRequest.Parser, static (s, r, c) => s.TokenList(r, c))
        .Unary("TokenRevoke", TokenRevokeRequest.Parser, static (s, r, c) => s.TokenRevoke(r, c))
        .Unary("CertificateList", CertificateListRequest.Parser, static (s, r, c) => s.CertificateList(r, c))
        .Unary("RefusalList", RefusalListRequest.Parser, static (s, r, c) => s.RefusalList(r, c))
        .Unary("CertificateRevoke", CertificateRevokeRequest.Parser, static (s, r, c) => s.CertificateRevoke(r, c))
        .ServerStreaming<RevocationsRequest, RevocationUpdate>("Revocations", RevocationsRequest.Parser, static (s, r, w, c) => s.Revocations(r, w, c))
        .Unary("RevocationList", RevocationListRequest.Parser, static (s, r, c) => s.RevocationList(r, c))
        .ServerStreaming<TrustUpdatesRequest, TrustUpdate>("TrustUpdates", TrustUpdatesRequest.Parser, static (s, r, w, c) => s.TrustUpdates(r, w, c))
        .Unary("TrustAcknowledge", TrustAcknowledgeRequest.Parser, static (s, r, c) => s.TrustAcknowledge(r, c))
        .Unary("AuthorityStatus", AuthorityStatusRequest.Parser, static (s, r, c) => s.AuthorityStatus(r, c))
        .Unary("AuthorityRotate", AuthorityRotateRequest.Parser, static (s, r, c) => s.AuthorityRotate(r, c)));
}
