using System.Collections.Immutable;
using Talos.Api.Configuration;
using Talos.Pki;
using Talos.Policy;
using Talos.Trustd.Ledger;
using Talos.Trustd.Login;

namespace Talos.Trustd.Issuance;

/// <summary>
/// What a requester has shown, checked by whoever makes one of these. Each way to a certificate has its own factory; a further one (a key that
/// a TPM attests, say) is one more here, one more word in <see cref="Ways"/> with its rule in <c>data.talos.issuance.ways</c>, and a method
/// that hands it to <see cref="Registrar"/>.
/// </summary>
sealed class Evidence
{
    public const string Self = "self", Renewal = "renewal", Token = "token", Enrollment = "enrollment", Delegation = "delegation", Login = "login";

    /// <summary>Every way there is. trustd does not start under a policy without a rule for each.</summary>
    public static readonly ImmutableArray<string> Ways = [Self, Renewal, Token, Enrollment, Delegation, Login];

    Evidence(string way, CertificateProfile profile, string requester, IssuanceBasis basis) =>
        (Way, Profile, Requester, Basis) = (way, profile, requester, basis);

    public string Way { get; }

    public CertificateProfile Profile { get; }

    /// <summary>Who asks, for the ledger: a caller's name and serial, or a token's id.</summary>
    public string Requester { get; }

    public IssuanceBasis Basis { get; }

    /// <summary>Whether the name is bound to this key: another machine must not take the place of one that is there.</summary>
    public bool IsFirstOfNode => Profile.Kind == PeerKind.Node && Way != Renewal;

    /// <summary>trustd itself.</summary>
    public static Evidence OfThisServer(string name, ImmutableArray<string> dns, ImmutableArray<string> addresses) =>
        new(Self, CertificateProfile.Trustd, "trustd", new IssuanceBasis { Title = "being trustd", Name = name, DnsNames = dns, Addresses = addresses });

    /// <summary>A certificate that the caller came with, to be renewed.</summary>
    /// <param name="identity">From the handshake.</param>
    /// <param name="authenticatedAt">As the ledger has it; null when the ledger does not know the certificate.</param>
    public static Evidence OfCertificate(PeerIdentity identity, DateTimeOffset? authenticatedAt) =>
        new(Renewal, ProfileOf(identity.Kind), $"{identity.Name} {identity.Serial}", new IssuanceBasis
        {
            Title = $"the certificate of `{identity.Name}`",
            Name = identity.Name,
            Roles = identity.Roles,
            DnsNames = Names(identity, NameKinds.Dns),
            Addresses = Names(identity, NameKinds.Address),
            AuthenticatedAt = authenticatedAt,
        });

    /// <summary>A person who vouches for another.</summary>
    /// <inheritdoc cref="OfCertificate"/>
    public static Evidence OfDelegate(PeerIdentity identity, DateTimeOffset? authenticatedAt) =>
        new(Delegation, CertificateProfile.User, $"{identity.Name} {identity.Serial}", new IssuanceBasis
        {
            Title = $"the certificate of `{identity.Name}`",
            Name = identity.Name,
            Roles = identity.Roles,
            AuthenticatedAt = authenticatedAt,
        });

    /// <summary>A token whose secret was shown.</summary>
    public static Evidence OfToken(LedgerToken token) =>
        new(Token, token.Use == LedgerTokenUse.Node ? CertificateProfile.Node : CertificateProfile.User, $"token {token.Id}", new IssuanceBasis
        {
            Title = $"the token `{token.Id}`",
            Name = token.Name,
            Roles = token.Roles,
            DnsNames = token.Names,
            Addresses = token.Addresses,
        });

    /// <summary>A machine that a person let in; what that person saw is what it may have.</summary>
    public static Evidence OfApproval(LedgerEnrollment enrollment) =>
        new(Enrollment, CertificateProfile.Node, $"enrollment {enrollment.Id} approved by {enrollment.DecidedBy}", new IssuanceBasis
        {
            Title = $"the enrollment `{enrollment.Id}`",
            Name = enrollment.Name,
            DnsNames = enrollment.DnsNames,
            Addresses = enrollment.Addresses,
            ApprovedBy = enrollment.DecidedBy,
        });

    /// <summary>A person whom the provider knows.</summary>
    /// <param name="groups">What the configuration says of the provider's groups.</param>
    public static Evidence OfLogin(VerifiedLogin login, IEnumerable<GroupRoles> groups) =>
        new(Login, CertificateProfile.User, $"{login.Subject} at {login.Issuer}", new IssuanceBasis
        {
            Title = "the login",
            Claims = login.Claims,
            AuthenticatedAt = login.AuthenticatedAt,
            IsBoundToKey = login.IsBoundToKey,
            GroupRoles = [.. groups.SelectMany(g => g.Roles.Select(role => (g.Group, role)))],
        });

    static ImmutableArray<string> Names(PeerIdentity identity, NameKinds kind) =>
        [.. identity.Leaf.AlternativeNames.Where(n => n.Kind == kind).Select(n => n.Text)];

    static CertificateProfile ProfileOf(PeerKind kind) => kind switch
    {
        PeerKind.Node => CertificateProfile.Node,
        PeerKind.User => CertificateProfile.User,
        PeerKind.Trustd => CertificateProfile.Trustd,
        PeerKind.Unknown => throw new ArgumentException("a verified certificate names a kind", nameof(kind)),
    };
}
