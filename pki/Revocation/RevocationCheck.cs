using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>Revocation of every certificate of a path below its anchor: by the caller's lookup, and by lists.</summary>
static class RevocationCheck
{
    public static PathFault? Fault(ImmutableArray<Certificate> path, ValidationOptions options, ILookup<DistinguishedName, Certificate> intermediates)
    {
        CrlCheck? lists = options.Crls is null ? null : new CrlCheck(path, options, intermediates);
        for (int at = path.Length - 2; at >= 0; at--)
        {
            Certificate certificate = path[at];
            RevocationStatus looked = options.Revocation?.Invoke(certificate, path[at + 1]) ?? RevocationStatus.Good;
            (RevocationStatus listed, string? unknown) = lists?.StatusOf(at) ?? (RevocationStatus.Good, null);
            if (looked == RevocationStatus.Revoked || listed == RevocationStatus.Revoked)
                return new PathFault(ValidationReason.Revoked, $"`{certificate.Subject}` (serial {certificate.Serial}) was revoked", certificate);
            if (looked == RevocationStatus.Unknown || listed == RevocationStatus.Unknown)
                return new PathFault(
                    ValidationReason.RevocationUnknown, $"whether `{certificate.Subject}` was revoked is not known: {unknown ?? "nobody here keeps its record"}", certificate);
        }

        return null;
    }
}
