using Grpc.Core;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Policy;
using Talos.Trustd.Issuance;
using Talos.Trustd.Login;

namespace Talos.Trustd.Service;

sealed partial class TrustService
{
    public override Task<LoginProviderResponse> LoginProvider(LoginProviderRequest request, ServerCallContext context)
    {
        Admit(ServedCall.Of(context));
        var configuration = Provider().Configuration;
        return Task.FromResult(new LoginProviderResponse
        {
            Issuer = configuration.Issuer,
            ClientId = configuration.ClientId,
            Scopes = { configuration.Scopes },
            CaPem = configuration.CaPem,
        });
    }

    public override Task<CertificateResponse> Login(LoginRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        Admit(call);
        return registrar.KeepRefusalsAsync(Evidence.Login, call, async () =>
        {
            var provider = Provider();
            var csr = Parse(request.Csr);
            var login = await VerifiedLogin.VerifyAsync(request.IdToken, csr.PublicKey, provider, time, context.CancellationToken);
            call.Note("login", $"{login.Subject} at {login.Issuer}");
            var wish = new CertificateWish { Name = "", Roles = [.. request.Roles], Lifetime = Wanted(request.Lifetime) };
            return await IssueAsync(Evidence.OfLogin(login, provider.Configuration.Roles), csr, wish, context, () => SpendAsync(login, context.CancellationToken));
        });
    }

    async Task SpendAsync(VerifiedLogin login, CancellationToken cancellation)
    {
        if (await ledger.UseLoginAsync(login.Digest, login.Expires, cancellation)) return;
        throw new RefusalException(RefusalReason.NotAllowed, "the ID token was used before") { Id = "id-token-used", Hint = "log in again: `osctl login`" };
    }

    IdentityProvider Provider() => provider ?? throw new RefusalException(RefusalReason.WrongState, "no identity provider is configured here")
    {
        Id = "no-identity-provider",
        Hint = "an administrator adds `trust.oidc` to the control plane's configuration, or gives a certificate with `osctl config new`",
    };
}
