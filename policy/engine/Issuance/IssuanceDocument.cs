using System.Collections.Immutable;

namespace Talos.Policy;

/// <summary>The document <c>input</c> of a decision about a certificate. Times are nanoseconds since 1970, durations nanoseconds.</summary>
static class IssuanceDocument
{
    const string NoClaims = "{}";

    static readonly KnownKeys s_input = new("way", "kind", "source_ip", "time", "request", "basis");
    static readonly KnownKeys s_request = new("name", "roles", "dns", "addresses", "others");
    static readonly KnownKeys s_requestWithLifetime = new("name", "roles", "dns", "addresses", "others", "lifetime");
    static readonly KnownKeys s_basis = new("title", "name", "roles", "dns", "addresses", "approved_by", "claims", "bound_to_key", "group_roles");
    static readonly KnownKeys s_basisWithTime = new(
        "title", "name", "roles", "dns", "addresses", "approved_by", "claims", "bound_to_key", "group_roles", "authenticated_at");
    static readonly KnownKeys s_groupRole = new("group", "role");

    public static ObjectValue From(IssuanceInput input) => s_input.Of(
        Value.From(input.Way), Value.From(input.Kind), Value.From(input.SourceIp), Value.From(Nanoseconds(input.Time)), Request(input.Request),
        Basis(input.Basis));

    public static long Nanoseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;

    static ObjectValue Request(CertificateWish wish)
    {
        Value name = Value.From(wish.Name);
        (ArrayValue roles, ArrayValue dns, ArrayValue addresses, ArrayValue others) =
            (Texts(wish.Roles), Texts(wish.DnsNames), Texts(wish.Addresses), Texts(wish.Others));
        return wish.Lifetime is { } life
            ? s_requestWithLifetime.Of(name, roles, dns, addresses, others, Value.From(life.Ticks * 100)) : s_request.Of(name, roles, dns, addresses, others);
    }

    static ObjectValue Basis(IssuanceBasis basis)
    {
        ReadOnlySpan<Value> all =
        [
            Value.From(basis.Title),
            Value.From(basis.Name),
            Texts(basis.Roles),
            Texts(basis.DnsNames),
            Texts(basis.Addresses),
            Value.From(basis.ApprovedBy),
            basis.Claims == NoClaims ? ObjectValue.Empty : ValueJson.Parse(basis.Claims),
            Value.From(basis.IsBoundToKey),
            basis.GroupRoles.IsEmpty
                ? ArrayValue.Empty : new ArrayValue([.. basis.GroupRoles.Select(g => s_groupRole.Of(Value.From(g.Group), Value.From(g.Role)))]),
            Value.From(basis.AuthenticatedAt is { } at ? Nanoseconds(at) : 0),
        ];
        // Left out rather than zero: a rule that needs it is undefined then, which denies.
        return basis.AuthenticatedAt is null ? s_basis.Of(all[..^1]) : s_basisWithTime.Of(all);
    }

    static ArrayValue Texts(ImmutableArray<string> texts)
    {
        if (texts.IsEmpty) return ArrayValue.Empty;
        var values = new Value[texts.Length];
        for (int i = 0; i < values.Length; i++) values[i] = Value.From(texts[i]);
        return new ArrayValue(values);
    }
}
