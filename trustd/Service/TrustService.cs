using System.Collections.Immutable;
using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
using Talos.Trustd.Issuance;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Service;

/// <summary>The methods of trustd. Who may call what was decided before a method runs; here stands what a token or a certificate entitles to.</summary>
sealed partial class TrustService(
    string cluster, Issuer issuer, TokenGate tokens, CertificateLedger ledger, RevocationFeed revocations, AuditLog record, TimeProvider time) : Api.Trust.V1.TrustService.TrustServiceBase
{
    // RFC 5869's advice for a nonce: at least as long as what it protects against guessing.
    const int MinNonce = 16, MaxNonce = 64;

    // A rack of machines behind one address may start at once; one identity renews a few times a day.
    readonly RateLimit perSource = new("address", TimeSpan.FromMilliseconds(20), burst: 2000, time);
    readonly RateLimit perIdentity = new("identity", TimeSpan.FromSeconds(10), burst: 30, time);

    public override Task<CABundleResponse> CABundle(CABundleRequest request, ServerCallContext context)
    {
        Admit(ServedCall.Of(context));
        var answer = new CABundleResponse { BundlePem = issuer.BundlePem, TrustDomain = cluster };
        if (request.TokenId.Length == 0) return Task.FromResult(answer);
        if (request.Nonce.Length is < MinNonce or > MaxNonce)
            throw new RefusalException(RefusalReason.InvalidRequest, $"a nonce has {MinNonce} to {MaxNonce} bytes, this one has {request.Nonce.Length}");
        answer.Authenticator = ByteString.CopyFrom(tokens.Authenticate(request.TokenId, request.Nonce.Span, answer.BundlePem));
        return Task.FromResult(answer);
    }

    public override async Task<CertificateResponse> Enroll(EnrollRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        Admit(call);
        var token = tokens.Verify(request.Token, LedgerTokenUse.Node, call);
        var csr = Parse(request.Csr);
        var grant = tokens.NodeGrant(token, csr.Document, call.Caller.Source);
        var key = Issuer.KeyDigest(csr);
        var identity = SpiffeId.Create(cluster, PeerKind.Node, grant.Name);
        if (!identity.Is(out var spiffe, out var failure)) throw Refusals.From(failure);
        if (ledger.IsHeldByAnotherKey(spiffe.ToString(), key))
        {
            throw new RefusalException(RefusalReason.NotAllowed, $"another machine has a valid certificate for `{grant.Name}`")
            {
                Id = "name-in-use",
                Hint = $"if that machine is gone, `osctl cert revoke --name {grant.Name}` and try again",
            };
        }
        await tokens.TakeAsync(token, key, context.CancellationToken);
        return await Issue(CertificateProfile.Node, grant, csr, "token", $"token {token.Id}", context);
    }

    public override async Task<CertificateResponse> Renew(RenewRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        Admit(call);
        var identity = call.Caller.Identity
            ?? throw new RefusalException(RefusalReason.NotIdentified, "renewal needs the certificate that is to be renewed");
        var csr = Parse(request.Csr);
        // RFC 4210 §5.3.5 in spirit: a renewal changes key and dates, never what the certificate says of its holder.
        var grant = new IdentityGrant
        {
            Cluster = cluster,
            Name = identity.Name,
            Roles = identity.Roles,
            DnsNames = [.. identity.Leaf.AlternativeNames.Where(n => n.Kind == NameKinds.Dns).Select(n => n.Text)],
            Addresses = [.. identity.Leaf.AlternativeNames.Where(n => n.Kind == NameKinds.Address).Select(n => System.Net.IPAddress.Parse(n.Text))],
        };
        var profile = identity.Kind switch
        {
            PeerKind.Node => CertificateProfile.Node,
            PeerKind.User => CertificateProfile.User,
            PeerKind.Trustd => CertificateProfile.Trustd,
            PeerKind.Unknown => throw new RefusalException(RefusalReason.NotIdentified, "the certificate names no kind of identity"),
        };
        return await Issue(profile, grant, csr, "renewal", $"{identity.Name} {identity.Serial}", context);
    }

    public override async Task<CertificateResponse> IssueClient(IssueClientRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        Admit(call);
        var csr = Parse(request.Csr);
        var lifetime = request.Lifetime is null || request.Lifetime.ToTimeSpan() == TimeSpan.Zero ? (TimeSpan?)null : request.Lifetime.ToTimeSpan();
        if (request.Token.Length != 0)
        {
            var token = tokens.Verify(request.Token, LedgerTokenUse.Client, call);
            if (request.Name.Length != 0 && request.Name != token.Name)
                throw new RefusalException(RefusalReason.NotAllowed, $"the token `{token.Id}` is for `{token.Name}`, not for `{request.Name}`") { Id = "name-not-allowed" };
            if (request.Roles.FirstOrDefault(role => !token.Roles.Contains(role)) is { } excess)
                throw new RefusalException(RefusalReason.NotAllowed, $"the token `{token.Id}` does not grant the role `{excess}`") { Id = "role-not-allowed" };
            var granted = request.Roles.Count == 0 ? token.Roles : [.. request.Roles];
            await tokens.TakeAsync(token, Issuer.KeyDigest(csr), context.CancellationToken);
            return await Issue(CertificateProfile.User, Person(token.Name, granted, lifetime), csr, "token", $"token {token.Id}", context);
        }
        var caller = call.Caller.Identity
            ?? throw new RefusalException(RefusalReason.NotIdentified, "a certificate for a person needs a token or a caller who may issue one") { Hint = "pass `--token`, or a context with a certificate" };
        if (request.Roles.Count == 0)
            throw new RefusalException(RefusalReason.InvalidRequest, "the request asks for no role") { Hint = "for instance `--roles os:reader`" };
        return await Issue(CertificateProfile.User, Person(request.Name, [.. request.Roles], lifetime), csr, "delegation", $"{caller.Name} {caller.Serial}", context);
    }

    // Before anything is parsed or verified, which is what a flood would make expensive.
    void Admit(ServedCall call)
    {
        if (call.Caller.Identity is not { } identity) perSource.Require(call.Caller.Source.ToString());
        // A person who may issue certificates was admitted by policy and stands on the record with each.
        else if (identity.Kind != PeerKind.User) perIdentity.Require(identity.Name);
    }

    IdentityGrant Person(string name, ImmutableArray<string> roles, TimeSpan? lifetime)
    {
        if (roles.Contains(TokenGate.NodeRole))
            throw new RefusalException(RefusalReason.NotAllowed, $"the role `{TokenGate.NodeRole}` is for machines") { Id = "role-not-allowed" };
        return new IdentityGrant { Cluster = cluster, Name = name, Roles = roles, Lifetime = lifetime };
    }

    async Task<CertificateResponse> Issue(CertificateProfile profile, IdentityGrant grant, VerifiedRequest csr, string basis, string requester, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        var certificate = await issuer.IssueAsync(profile, grant, csr, basis, requester, call, context.CancellationToken);
        call.Note("issued_serial", certificate.Serial);
        return new CertificateResponse { Certificate = ByteString.CopyFrom(certificate.Der.Span), BundlePem = issuer.BundlePem };
    }

    // LIMIT: about 8 MiB. Nodes renew with the key they have.
    static readonly RecentKeys s_recentKeys = new(4096);

    static VerifiedRequest Parse(ByteString csr) =>
        VerifiedRequest.Parse(csr.Span, s_recentKeys).Is(out var request, out var failure) ? request : throw Refusals.From(failure);
}
