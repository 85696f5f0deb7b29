using System.Collections.Immutable;

namespace Talos.Policy;

/// <summary>The document <c>input</c> of a decision about a certificate. Times are nanoseconds since 1970, durations nanoseconds.</summary>
static class IssuanceDocument
{
    public static ObjectValue From(IssuanceInput input) => ObjectValue.From(
        ("way", Value.From(input.Way)),
        ("kind", Value.From(input.Kind)),
        ("source_ip", Value.From(input.SourceIp)),
        ("time", Value.From(Nanoseconds(input.Time))),
        ("request", Request(input.Request)),
        ("basis", Basis(input.Basis)));

    public static long Nanoseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;

    static ObjectValue Request(CertificateWish wish)
    {
        ObjectValue request = ObjectValue.From(
            ("name", Value.From(wish.Name)), ("roles", Texts(wish.Roles)), ("dns", Texts(wish.DnsNames)), ("addresses", Texts(wish.Addresses)));
        return wish.Lifetime is { } life ? request.With(Value.From("lifetime"), Value.From(life.Ticks * 100)) : request;
    }

    static ObjectValue Basis(IssuanceBasis basis)
    {
        ObjectValue document = ObjectValue.From(
            ("title", Value.From(basis.Title)),
            ("name", Value.From(basis.Name)),
            ("roles", Texts(basis.Roles)),
            ("dns", Texts(basis.DnsNames)),
            ("addresses", Texts(basis.Addresses)),
            ("approved_by", Value.From(basis.ApprovedBy)),
            ("claims", ValueJson.Parse(basis.Claims)),
            ("bound_to_key", Value.From(basis.IsBoundToKey)),
            ("group_roles", new ArrayValue([.. basis.GroupRoles.Select(g => ObjectValue.From(("group", Value.From(g.Group)), ("role", Value.From(g.Role))))])));
        // Left out rather than zero: a rule that needs it is undefined then, which denies.
        return basis.AuthenticatedAt is { } at ? document.With(Value.From("authenticated_at"), Value.From(Nanoseconds(at))) : document;
    }

    static ArrayValue Texts(ImmutableArray<string> texts) => new([.. texts.Select(Value.From)]);
}
