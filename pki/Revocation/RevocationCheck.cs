using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>Revocation of every certificate of a path below its anchor.</summary>
static class RevocationCheck
{
    public static PathFault? Fault(
        ImmutableArray<Certificate> path, ValidationOptions options, TrustStore trust, ILookup<DistinguishedName, Certificate> intermediates)
    {
        for (int at = path.Length - 2; at >= 0; at--)
        {
            Certificate certificate = path[at];
            RevocationStatus status = options.Revocation?.Invoke(certificate, path[at + 1]) ?? RevocationStatus.Good;
            switch (status)
            {
                case RevocationStatus.Good:
                    break;
                case RevocationStatus.Revoked:
                    return new PathFault(ValidationReason.Revoked, $"`{certificate.Subject}` (serial {certificate.Serial}) was revoked", certificate);
                case RevocationStatus.Unknown:
                    return new PathFault(ValidationReason.RevocationUnknown, $"whether `{certificate.Subject}` was revoked is not known", certificate);
            }
        }

        return options.Crls is null ? null : new PathFault(ValidationReason.RevocationUnknown, "revocation lists are not supported yet", path[0]);
    }
}
