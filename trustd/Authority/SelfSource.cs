using System.Net;
using Talos.Api.Server;
using Talos.Pki;
using Talos.Policy;
using Talos.Trustd.Issuance;

namespace Talos.Trustd.Authority;

/// <summary>trustd's own certificate comes from the authority it holds, through the same ledger and record as everyone's.</summary>
sealed class SelfSource(Registrar registrar, string node, IReadOnlyList<string> names) : ICertificateSource
{
    public async Task<CertificateGrant> EnrollAsync(ReadOnlyMemory<byte> csr, TrustStore? learned, CancellationToken cancellation)
    {
        if (!VerifiedRequest.Parse(csr.Span).Is(out var request, out var failure)) throw new EnrollmentException(EnrollmentFailure.BadAnswer, failure.ToString());
        var own = Evidence.OfThisServer(
            node,
            [.. names.Append(node).Where(n => !IPAddress.TryParse(n, out _)).Distinct()],
            [.. names.Where(n => IPAddress.TryParse(n, out _)).Select(n => IPAddress.Parse(n).ToString()).Distinct()]);
        try
        {
            var issued = await registrar.IssueAsync(own, request, new CertificateWish { Name = node }, call: null, cancellation);
            return new CertificateGrant(issued.Certificate.Der, issued.Intermediates, issued.BundlePem);
        }
        catch (RefusalException e)
        {
            throw new EnrollmentException(EnrollmentFailure.Refused, e.Message, e);
        }
    }

    public Task<CertificateGrant> RenewAsync(ReadOnlyMemory<byte> csr, TrustMaterial current, CancellationToken cancellation) => EnrollAsync(csr, learned: null, cancellation);
}
