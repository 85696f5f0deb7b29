using Talos.Pki;

namespace Talos.Api.Server.Tests;

/// <summary>A trustd without a network: answers from a <see cref="TestAuthority"/>, or not, as a test chooses.</summary>
sealed class FakeSource(TestAuthority authority, string name) : ICertificateSource
{
    public int Enrolled { get; private set; }

    public int Renewed { get; private set; }

    /// <summary>Thrown instead of an answer, as long as it is set.</summary>
    public EnrollmentException? Refusal { get; set; }

    /// <summary>Changes what is answered.</summary>
    public Func<CertificateGrant, CertificateGrant> Spoil { get; set; } = grant => grant;

    /// <summary>The public keys that were asked for, in order.</summary>
    public List<string> Keys { get; } = [];

    /// <summary>The names that were asked for, in order.</summary>
    public List<string> Names { get; } = [];

    /// <summary>What each enrolment was told to trust instead of what is configured.</summary>
    public List<TrustStore?> Learned { get; } = [];

    public CertificateProfile Profile { get; set; } = CertificateProfile.Node;

    public SemaphoreSlim Asked { get; } = new(0);

    public Task<CertificateGrant> EnrollAsync(ReadOnlyMemory<byte> csr, TrustStore? learned, CancellationToken cancellation)
    {
        Learned.Add(learned);
        var grant = Answer(csr);
        Enrolled++;
        return Task.FromResult(grant);
    }

    public Task<CertificateGrant> RenewAsync(ReadOnlyMemory<byte> csr, TrustMaterial current, CancellationToken cancellation)
    {
        var grant = Answer(csr);
        Renewed++;
        return Task.FromResult(grant);
    }

    CertificateGrant Answer(ReadOnlyMemory<byte> csr)
    {
        var request = VerifiedRequest.Parse(csr.Span).Require();
        Keys.Add(Convert.ToHexString(request.PublicKey.Der.Span));
        Names.Add(string.Join(' ', request.Document.RequestedNames.Select(n => n.Text)));
        Asked.Release();
        if (Refusal is { } refusal) throw refusal;
        var certificate = authority.Issue(Profile, authority.NodeGrant(name), csr.Span);
        return Spoil(new CertificateGrant(certificate.Der, [], authority.BundlePem));
    }
}
