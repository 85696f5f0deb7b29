using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Osctl.Nodes;
using Talos.Pki;

namespace Talos.Osctl.Contexts;

/// <summary>A certificate with its key, which was made here and went nowhere.</summary>
sealed record PersonalCertificate(string CertificatePem, string PrivateKeyPem, string CaPem, Certificate Leaf)
{
    /// <summary>The first certificate of someone who has a token.</summary>
    public static async Task<PersonalCertificate> WithTokenAsync(Invocation invocation, Endpoint trustd, TokenSecret token, string name, IReadOnlyList<string> roles, TimeSpan? lifetime)
    {
        using var connection = await FirstContact.ConnectAsync(invocation, trustd, token);
        return await RequestAsync(invocation, connection, name, roles, lifetime, token.Reveal());
    }

    /// <summary>A certificate that the caller's own roles allow to ask for.</summary>
    public static async Task<PersonalCertificate> AsCallerAsync(Invocation invocation, string name, IReadOnlyList<string> roles, TimeSpan? lifetime)
    {
        var trustd = invocation.Context().Trustd ?? throw new OsctlException($"context `{invocation.ContextName}` does not say where trustd answers");
        using var connection = PeerConnection.ToTrustd(trustd, invocation.Credentials(), invocation.Terminal.Time);
        return await RequestAsync(invocation, connection, name, roles, lifetime, "");
    }

    /// <summary>A new certificate, with a new key, for whom the context has one already.</summary>
    public static async Task<PersonalCertificate> RenewAsync(Invocation invocation)
    {
        var trustd = invocation.Context().Trustd ?? throw new OsctlException($"context `{invocation.ContextName}` does not say where trustd answers");
        var credentials = invocation.Credentials();
        using var request = CertificateSigningRequest.Create(credentials.Own!.Subject.CommonNames.FirstOrDefault() ?? "");
        using var connection = PeerConnection.ToTrustd(trustd, credentials, invocation.Terminal.Time);
        var answer = await invocation.RequireAsync(connection, (c, options) => c.Trust().RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(request.Der.Span) }, options));
        return Read(answer, request);
    }

    /// <summary>A certificate for who logged in at the identity provider.</summary>
    public static async Task<PersonalCertificate> WithIdTokenAsync(
        Invocation invocation, PeerConnection connection, CertificateSigningRequest request, string idToken, IReadOnlyList<string> roles)
    {
        var message = new LoginRequest { Csr = ByteString.CopyFrom(request.Der.Span), IdToken = idToken, Roles = { roles } };
        return Read(await invocation.RequireAsync(connection, (c, options) => c.Trust().LoginAsync(message, options)), request);
    }

    static async Task<PersonalCertificate> RequestAsync(Invocation invocation, PeerConnection connection, string name, IReadOnlyList<string> roles, TimeSpan? lifetime, string token)
    {
        using var request = CertificateSigningRequest.Create(name);
        var message = new IssueClientRequest { Csr = ByteString.CopyFrom(request.Der.Span), Name = name, Token = token, Roles = { roles } };
        if (lifetime is { } wanted) message.Lifetime = Duration.FromTimeSpan(wanted);
        var answer = await invocation.RequireAsync(connection, (c, options) => c.Trust().IssueClientAsync(message, options));
        return Read(answer, request);
    }

    static PersonalCertificate Read(CertificateResponse answer, CertificateSigningRequest request)
    {
        if (!Certificate.Parse(answer.Certificate.Span).Is(out var leaf, out var failure)) throw new OsctlException($"the certificate that trustd sent: {failure}", failure.Hint, ExitCode.NodeFailed);
        if (!leaf.PublicKey.Der.Span.SequenceEqual(request.Key.ExportSubjectPublicKeyInfo())) throw new OsctlException("trustd sent a certificate for another key", "is someone between?", ExitCode.NodeFailed);
        var chain = string.Concat(answer.Intermediates.Select(der => Pem.Write(Pem.Certificate, der.Span)));
        return new PersonalCertificate(leaf.ToPem() + chain, request.ExportPrivateKeyPem(), answer.BundlePem, leaf);
    }
}
