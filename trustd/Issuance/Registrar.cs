using System.Collections.Immutable;
using System.Net;
using Talos.Api.Server;
using Talos.Pki;
using Talos.Policy;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Issuance;

/// <summary>
/// The registration authority: evidence and a verified request go in, policy decides, and what it grants is issued. Whatever is refused stands
/// in the ledger with its reason.
/// </summary>
sealed class Registrar(string cluster, IssuancePolicy policy, Issuer issuer, ICertificateLedger ledger, TimeProvider time)
{
    // Two machines that ask for one new name at the same moment: the second is looked at when the first one's certificate is on the ledger.
    readonly ImmutableArray<SemaphoreSlim> turns = [.. Enumerable.Range(0, 64).Select(static _ => new SemaphoreSlim(1))];

    /// <summary>Issues one certificate.</summary>
    /// <param name="asked">What is asked for outside of the CSR.</param>
    /// <param name="call">The call that asks; null for trustd's own certificate.</param>
    /// <param name="spend">As in <see cref="Issuer.IssueAsync"/>.</param>
    /// <exception cref="RefusalException">Policy or the PKI refuses, or the ledger cannot be written.</exception>
    public async Task<Issued> IssueAsync(
        Evidence evidence, VerifiedRequest request, CertificateWish asked, ServedCall? call, CancellationToken cancellation, Func<Task>? spend = null)
    {
        var decision = policy.Decide(new IssuanceInput
        {
            Way = evidence.Way,
            Kind = evidence.Profile.Id,
            Request = Complete(asked, request.Document, cluster),
            Basis = evidence.Basis,
            SourceIp = call?.Caller.Source.ToString() ?? "",
            Time = time.GetUtcNow(),
        });
        if (decision.Grant is not { } grant) throw new RefusalException(RefusalReason.NotAllowed, decision.Sentence) { Id = decision.ReasonId, Hint = decision.Hint };
        var order = new CertificateOrder
        {
            Profile = evidence.Profile with { Lifetime = grant.Lifetime },
            Grant = new IdentityGrant
            {
                Cluster = cluster,
                Name = grant.Name,
                Roles = grant.Roles,
                DnsNames = grant.DnsNames,
                Addresses = [.. grant.Addresses.Select(IPAddress.Parse)],
            },
            Basis = evidence.Way,
            Requester = evidence.Requester,
            Policy = decision.Revision,
            AuthenticatedAt = grant.AuthenticatedAt,
        };
        if (!evidence.IsFirstOfNode) return await issuer.IssueAsync(order, request, call, cancellation, spend);
        var turn = turns[(int)((uint)grant.Name.GetHashCode(StringComparison.Ordinal) % (uint)turns.Length)];
        await turn.WaitAsync(cancellation);
        try
        {
            RequireFreeName(evidence, grant.Name, request);
            return await issuer.IssueAsync(order, request, call, cancellation, spend);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Runs one way to a certificate, and puts what it refuses into the ledger.</summary>
    public async Task<T> KeepRefusalsAsync<T>(string way, ServedCall call, Func<Task<T>> run)
    {
        try
        {
            return await run();
        }
        // A flood is turned away before it costs a write, and a ledger that cannot be written cannot take this either.
        catch (RefusalException e) when (e.Reason is RefusalReason.InvalidRequest or RefusalReason.NotAllowed or RefusalReason.NotIdentified)
        {
            try
            {
                await ledger.RecordRefusalAsync(Kept(way, call, e), CancellationToken.None);
            }
            catch (LedgerException unwritten)
            {
                call.Note("refusal_not_in_ledger", unwritten.Message);
            }
            throw;
        }
    }

    /// <summary>Puts a refusal into the ledger that was given before a method ran, and so before its way was known for certain.</summary>
    /// <exception cref="LedgerException">The ledger cannot be written.</exception>
    public Task KeepRefusalAsync(string way, ServedCall call, RefusalException refusal) =>
        ledger.RecordRefusalAsync(Kept(way, call, refusal), CancellationToken.None);

    LedgerRefusal Kept(string way, ServedCall call, RefusalException refusal)
    {
        var caller = call.Caller.Identity is { } identity ? $"{identity.Name} {identity.Serial}" : "";
        return new LedgerRefusal(time.GetUtcNow(), way, caller, call.Caller.Source.ToString(), refusal.Id, refusal.Message, policy.Revision);
    }

    /// <summary>All that a CSR asks for, in the forms that policy compares.</summary>
    public static CertificateWish Complete(CertificateWish asked, CertificateRequestDocument csr, string cluster) => asked with
    {
        Name = NameOf(asked, csr),
        Roles = csr.Subject.Organizations is { IsEmpty: false } more ? [.. asked.Roles.Concat(more).Distinct()]
            : asked.Roles.Length > 1 ? [.. asked.Roles.Distinct()] : asked.Roles,
        DnsNames = Names(csr, NameKinds.Dns, n => n.ToLowerInvariant()),
        // One form for each address; what is none stays as it is, and is nobody's.
        Addresses = Names(csr, NameKinds.Address, n => IPAddress.TryParse(n, out var a) ? a.ToString() : n),
        Others = Others(csr, cluster, NameOf(asked, csr)),
    };

    static string NameOf(CertificateWish asked, CertificateRequestDocument csr) =>
        asked.Name.Length > 0 ? asked.Name : csr.Subject.CommonNames is [var first, ..] ? first : "";

    static ImmutableArray<string> Names(CertificateRequestDocument csr, NameKinds kind, Func<string, string> form) =>
        csr.RequestedNames.IsEmpty ? [] : [.. csr.RequestedNames.Where(n => n.Kind == kind).Select(n => form(n.Text)).Distinct()];

    static ImmutableArray<string> Others(CertificateRequestDocument csr, string cluster, string name)
    {
        var commonNames = csr.Subject.CommonNames;
        if (csr.RequestedNames.IsEmpty && (commonNames.IsEmpty || (commonNames is [var only] && only == name))) return [];
        var subjects = commonNames.Where(c => c != name);
        var names = csr.RequestedNames.Where(n => n.Kind is not (NameKinds.Dns or NameKinds.Address) && !SaysTheSame(n));
        return [.. subjects.Concat(names.Select(n => n.ToString())).Distinct()];

        // A SPIFFE id of the name that is asked for says no more than that name; the PKI compares it with the one that is granted.
        bool SaysTheSame(GeneralName n) => SpiffeId.Parse(n.Text).Value is { } id && id.Cluster == cluster && (name.Length == 0 || id.Name == name);
    }

    void RequireFreeName(Evidence evidence, string name, VerifiedRequest request)
    {
        var spiffe = SpiffeId.Create(cluster, evidence.Profile.Kind, name).Is(out var id, out var failure) ? id : throw Refusals.From(failure);
        if (!ledger.IsHeldByAnotherKey(spiffe.ToString(), Issuer.KeyDigest(request))) return;
        throw new RefusalException(RefusalReason.NotAllowed, $"another machine has a valid certificate for `{name}`")
        {
            Id = "name-in-use",
            Hint = $"if that machine is gone, `osctl cert revoke --name {name}` and try again",
        };
    }
}
