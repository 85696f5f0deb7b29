using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>RFC 5280 §4.2.1.9. <see cref="PathLength"/> counts the intermediates that may follow.</summary>
public sealed record BasicConstraints(bool IsAuthority, int? PathLength);

/// <summary>RFC 5280 §4.2.1.1.</summary>
sealed record AuthorityKey(ReadOnlyMemory<byte>? KeyIdentifier, ImmutableArray<GeneralName> Issuer, ReadOnlyMemory<byte>? Serial);

/// <summary>RFC 5280 §4.2.1.10.</summary>
sealed record NameConstraintSet(ImmutableArray<GeneralName> Permitted, ImmutableArray<GeneralName> Excluded);

/// <summary>RFC 5280 §4.2.1.11.</summary>
sealed record PolicyConstraintSet(int? RequireExplicitPolicy, int? InhibitPolicyMapping);

/// <summary>RFC 5280 §4.2.1.5.</summary>
sealed record PolicyMapping(string IssuerPolicy, string SubjectPolicy);

/// <summary>RFC 5280 §4.2.1.13; <see cref="Reasons"/> null means every reason.</summary>
sealed record DistributionPoint(DistributionPointName? Name, uint? Reasons, ImmutableArray<GeneralName> CrlIssuer);

/// <summary>Full names, or one part to append to the CRL issuer's name.</summary>
sealed class DistributionPointName
{
    public ImmutableArray<GeneralName> FullName { get; init; } = [];

    public ReadOnlyMemory<byte> Relative { get; init; }

    static DistributionPointName Checked(DerValue value, ReadOnlyMemory<byte> document)
    {
        var relative = new DistributionPointName { Relative = document[value.Inner] };
        DistinguishedName.Empty.Append(relative.Relative);
        return relative;
    }

    // DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
    internal static DistributionPointName Parse(DerReader choice, ReadOnlyMemory<byte> document)
    {
        DerValue value = choice.Read();
        choice.RequireEnd();
        if (value.Content.IsEmpty)
            throw new MalformedDerException(value.Start, "a distribution point has an empty name");
        return value.Tag switch
        {
            0xA0 => new DistributionPointName { FullName = GeneralName.ParseList(value.Reader(), document) },
            0xA1 => Checked(value, document),
            _ => throw new MalformedDerException(value.Start, $"tag 0x{value.Tag:x2} names no distribution point"),
        };
    }
}
