using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
using Talos.Policy;
using Talos.Trustd.Authority;
using Talos.Trustd.Issuance;
using Talos.Trustd.Ledger;
using Talos.Trustd.Login;

namespace Talos.Trustd.Service;

/// <summary>The methods of trustd. Who may call what was decided before a method runs; here stands what a token or a certificate entitles to.</summary>
sealed partial class TrustService(
    string cluster, AuthorityKeeper authorities, Registrar registrar, TokenGate tokens, EnrollmentQueue enrollments, IdentityProvider? provider, ICertificateLedger ledger,
    RevocationFeed revocations, AuditLog record, RateLimitSection limits, TimeProvider time)
    : Api.Trust.V1.TrustService.TrustServiceBase
{
    // RFC 5869's advice for a nonce: at least as long as what it protects against guessing.
    const int MinNonce = 16, MaxNonce = 64;

    readonly ConcurrentDictionary<string, DateTimeOffset> authenticated = new(StringComparer.Ordinal);

    readonly RevocationRecord revocationRecord = new(ledger, record);

    readonly RateLimit perAddress = new("address", limits.Address, time);
    readonly RateLimit perMachine = new("machine", limits.Machine, time);
    readonly RateLimit perPerson = new("person", limits.Person, time);
    readonly RateLimit perToken = new("token", limits.Token, time);

    public override Task<CABundleResponse> CABundle(CABundleRequest request, ServerCallContext context)
    {
        Admit(ServedCall.Of(context));
        var answer = new CABundleResponse { BundlePem = authorities.Current.BundlePem, TrustDomain = cluster };
        if (request.TokenId.Length == 0) return Task.FromResult(answer);
        if (request.Nonce.Length is < MinNonce or > MaxNonce)
            throw new RefusalException(RefusalReason.InvalidRequest, $"a nonce has {MinNonce} to {MaxNonce} bytes, this one has {request.Nonce.Length}");
        answer.Authenticator = ByteString.CopyFrom(tokens.Authenticate(request.TokenId, request.Nonce.Span, answer.BundlePem));
        return Task.FromResult(answer);
    }

    public override Task<CertificateResponse> Enroll(EnrollRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        Admit(call);
        return RecordingAsync(call, () => registrar.KeepRefusalsAsync(Evidence.Token, call, async () =>
        {
            var token = tokens.Verify(request.Token, LedgerTokenUse.Node, call);
            perToken.Require(token.Id);
            var csr = Parse(request.Csr);
            return await IssueAsync(
                Evidence.OfToken(token), csr, new CertificateWish { Name = "" }, context,
                () => tokens.TakeAsync(token, Issuer.KeyDigest(csr), context.CancellationToken));
        }));
    }

    // Whether or not the machine was let in.
    async Task<CertificateResponse> RecordingAsync(ServedCall call, Func<Task<CertificateResponse>> enroll)
    {
        try
        {
            var answer = await enroll();
            using var certificate = X509CertificateLoader.LoadCertificate(answer.Certificate.Span);
            Record(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false), admitted: true, "");
            return answer;
        }
        catch (RefusalException e)
        {
            Record("", admitted: false, e.Message);
            throw;
        }

        // The call and the certificate are on the record already, durably; this says what they mean.
        void Record(string name, bool admitted, string reason) =>
            record.Post(AuditEvents.Enrollment(name, admitted, "token", call.Caller.Source.ToString(), reason).During(call.OpenedIndex));
    }

    public override Task<CertificateResponse> Renew(RenewRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        Admit(call);
        return registrar.KeepRefusalsAsync(Evidence.Renewal, call, async () =>
        {
            var identity = call.Caller.Identity
                ?? throw new RefusalException(RefusalReason.NotIdentified, "renewal needs the certificate that is to be renewed");
            var csr = Parse(request.Csr);
            // RFC 4210 §5.3.5 in spirit: a renewal changes key and dates, never what the certificate says of its holder.
            return await IssueAsync(Evidence.OfCertificate(identity, AuthenticatedAt(identity)), csr, new CertificateWish { Name = "" }, context);
        });
    }

    public override Task<CertificateResponse> IssueClient(IssueClientRequest request, ServerCallContext context)
    {
        var call = ServedCall.Of(context);
        Admit(call);
        return registrar.KeepRefusalsAsync(request.Token.Length != 0 ? Evidence.Token : Evidence.Delegation, call, async () =>
        {
            var csr = Parse(request.Csr);
            var wish = new CertificateWish { Name = request.Name, Roles = [.. request.Roles], Lifetime = Wanted(request.Lifetime) };
            if (request.Token.Length != 0)
            {
                var token = tokens.Verify(request.Token, LedgerTokenUse.Client, call);
                perToken.Require(token.Id);
                return await IssueAsync(Evidence.OfToken(token), csr, wish, context, () => tokens.TakeAsync(token, Issuer.KeyDigest(csr), context.CancellationToken));
            }
            var caller = call.Caller.Identity ?? throw new RefusalException(RefusalReason.NotIdentified, "a certificate for a person needs a token or a caller who may issue one")
            {
                Hint = "pass `--token`, or a context with a certificate",
            };
            return await IssueAsync(Evidence.OfDelegate(caller, AuthenticatedAt(caller)), csr, wish, context);
        });
    }

    /// <summary>What <see cref="ApiHostOptions.TooLarge"/> does here: a request for a certificate that no method got to see is in the ledger all the same.</summary>
    /// <exception cref="RefusalException">The caller asks too much, or the ledger cannot be written.</exception>
    public async Task KeepTooLargeAsync(ServedCall call, RefusalException refusal)
    {
        Admit(call);
        var way = call.Method[(call.Method.LastIndexOf('/') + 1)..] switch
        {
            nameof(Enroll) => Evidence.Token,
            nameof(Renew) => Evidence.Renewal,
            nameof(EnrollmentApply) => Evidence.Enrollment,
            nameof(Login) => Evidence.Login,
            // Whoever has no certificate can only have come with a token.
            nameof(IssueClient) => call.Caller.Identity is null ? Evidence.Token : Evidence.Delegation,
            _ => null,
        };
        if (way is not null) await registrar.KeepRefusalAsync(way, call, refusal);
    }

    // Before anything is parsed or verified, which is what a flood would make expensive. What takes rights away, lets a machine in or changes the CA
    // is not counted: whoever uses up a person's share must not keep that person from revoking.
    void Admit(ServedCall call)
    {
        if (call.Caller.Identity is not { } identity) perAddress.Require(call.Caller.Source.ToString());
        else (identity.Kind == PeerKind.User ? perPerson : perMachine).Require(identity.Name);
    }

    // What the ledger says of a certificate's first proof never changes, and one certificate may vouch for thousands.
    DateTimeOffset? AuthenticatedAt(PeerIdentity identity)
    {
        if (authenticated.TryGetValue(identity.Serial, out var known)) return known;
        if (ledger.FindCertificate(identity.Serial)?.AuthenticatedAt is not { } found) return null;
        // LIMIT: about 3 MiB; a fleet of that many renews within a day, and forgetting all costs each one look into the ledger.
        if (authenticated.Count >= 16_384) authenticated.Clear();
        authenticated[identity.Serial] = found;
        return found;
    }

    // Zero is what a client sends that wants nothing in particular.
    static TimeSpan? Wanted(Duration? lifetime)
    {
        if (lifetime is null or { Seconds: 0, Nanos: 0 }) return null;
        try
        {
            return lifetime.ToTimeSpan();
        }
        catch (InvalidOperationException)
        {
            throw Invalid("the lifetime is no duration", "seconds and nanoseconds have the same sign, and fewer nanoseconds than make a second");
        }
    }

    async Task<CertificateResponse> IssueAsync(Evidence evidence, VerifiedRequest csr, CertificateWish wish, ServerCallContext context, Func<Task>? spend = null)
    {
        var call = ServedCall.Of(context);
        var issued = await registrar.IssueAsync(evidence, csr, wish, call, context.CancellationToken, spend);
        call.Note("issued_serial", issued.Certificate.Serial);
        var answer = new CertificateResponse { Certificate = ByteString.CopyFrom(issued.Certificate.Der.Span), BundlePem = issued.BundlePem };
        foreach (var intermediate in issued.Intermediates) answer.Intermediates.Add(ByteString.CopyFrom(intermediate.Span));
        return answer;
    }

    static VerifiedRequest Parse(ByteString csr) =>
        VerifiedRequest.Parse(csr.Span).Is(out var request, out var failure) ? request : throw Refusals.From(failure);
}
