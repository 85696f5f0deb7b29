namespace Talos.Pki;

/// <summary>
/// Certification path building (RFC 4158) and validation (RFC 5280 §6) over an explicit trust store. It takes the place of
/// the platform's chain builder, and never consults the machine's store or the network. Stateless; safe for several threads.
/// </summary>
public static class PathValidator
{
    // LIMIT: intermediates that a peer may send along.
    const int MaximumSent = 128;

    /// <summary>Judges <paramref name="leaf"/>. <paramref name="intermediates"/> may hold anything, in any order; they only help to find a path.</summary>
    public static ValidationResult Validate(
        Certificate leaf, IReadOnlyCollection<Certificate> intermediates, TrustStore trust, ValidationOptions options)
    {
        if (options.Purpose == ValidationPurpose.Unspecified)
            return new ValidationResult(ValidationReason.InvalidOptions, "the purpose of the validation was not said", null);
        if (trust.Anchors.IsEmpty)
            return new ValidationResult(ValidationReason.NoTrustAnchors, "the trust store is empty", null);
        if (intermediates.Count > MaximumSent)
            return new ValidationResult(ValidationReason.SearchTooLong, $"the peer sent more than {MaximumSent} intermediates", leaf);
        return new PathSearch(leaf, intermediates, trust, options).Run();
    }

    /// <summary>
    /// As above from the octets that a handshake delivers. An intermediate that cannot be read is left out, since it could
    /// not be part of a path; a leaf that cannot be read is refused.
    /// </summary>
    public static ValidationResult Validate(
        ReadOnlyMemory<byte> leaf, IEnumerable<ReadOnlyMemory<byte>> intermediates, TrustStore trust, ValidationOptions options)
    {
        if (!Certificate.Parse(leaf.Span).Is(out Certificate? certificate, out PkiFailure? failure))
            return new ValidationResult(ValidationReason.MalformedCertificate, $"the peer's certificate is malformed: {failure}", null);
        Certificate[] readable = [.. intermediates.Take(MaximumSent + 1).Select(der => Certificate.Parse(der.Span).Value).OfType<Certificate>()];
        return Validate(certificate, readable, trust, options);
    }
}
