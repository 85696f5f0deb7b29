namespace Talos.Pki;

/// <summary>
/// What certificates, requests and revocation lists have in common: <c>SEQUENCE { what is signed, its algorithm, the signature BIT STRING }</c>, as DER or
/// in one PEM block.
/// </summary>
readonly ref struct SignedDocument
{
    public required DerValue Content { get; init; }

    public required ReadOnlyMemory<byte> ToBeSigned { get; init; }

    public required SignatureAlgorithm Algorithm { get; init; }

    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>Offset of the algorithm, for errors.</summary>
    public required int AlgorithmStart { get; init; }

    /// <summary>Splits a document. What is signed is left to its kind.</summary>
    /// <exception cref="MalformedDerException">It is not of that form.</exception>
    public static SignedDocument Open(ReadOnlyMemory<byte> der)
    {
        var outer = new DerReader(der.Span);
        DerReader body = outer.ReadSequence();
        outer.RequireEnd();
        DerValue content = body.Read(DerTag.Sequence);
        int at = body.Position;
        SignatureAlgorithm algorithm = SignatureAlgorithm.Parse(ref body, der);
        ReadOnlyMemory<byte> signature = der[body.ReadOctetBits().Inner];
        body.RequireEnd();
        return new SignedDocument { Content = content, ToBeSigned = der[content.Whole], Algorithm = algorithm, Signature = signature, AlgorithmStart = at };
    }

    /// <summary>RFC 5280 §4.1.1.2, §5.1.1.2: the unsigned copy of the algorithm equals the signed one.</summary>
    public void RequireSigned(SignatureAlgorithm inside)
    {
        if (!Algorithm.Der.Span.SequenceEqual(inside.Der.Span))
            throw new MalformedDerException(AlgorithmStart, "the signature algorithm differs from the one inside what is signed");
    }

    /// <summary>Reads one document of a kind from DER or PEM; the octets are copied.</summary>
    /// <param name="what">The kind, for errors: <c>a certificate</c>.</param>
    /// <param name="labels">Labels that its PEM block may have, the usual one first.</param>
    public static Checked<T> Parse<T>(ReadOnlySpan<byte> derOrPem, string what, int maximumOctets, ReadOnlySpan<string> labels, Func<ReadOnlyMemory<byte>, T> read)
        where T : class
    {
        // PEM takes a third more than DER.
        if (derOrPem.Length > maximumOctets / 2 * 3)
            return TooLarge(what, derOrPem.Length, maximumOctets);
        if (!Pem.LooksLike(derOrPem))
            return Read(derOrPem.ToArray(), what, maximumOctets, read);
        if (!Pem.Read(derOrPem).Is(out PemBlocks? found, out PkiFailure? failure))
            return failure;
        return found.Blocks is [var only] && labels.Contains(only.Label)
            ? Read(only.Der, what, maximumOctets, read)
            : new PkiFailure(PkiReason.MalformedPem, $"expected exactly one PEM block labelled `{labels[0]}`");
    }

    /// <summary>The same from DER that the caller keeps.</summary>
    public static Checked<T> Read<T>(ReadOnlyMemory<byte> der, string what, int maximumOctets, Func<ReadOnlyMemory<byte>, T> read)
        where T : class
    {
        if (der.Length > maximumOctets)
            return TooLarge(what, der.Length, maximumOctets);
        try
        {
            return Checked<T>.Of(read(der));
        }
        catch (MalformedDerException fault)
        {
            return fault.ToFailure();
        }
    }

    static PkiFailure TooLarge(string what, int octets, int maximum) => new(PkiReason.TooLarge, $"{what} of {octets} octets exceeds {maximum}");
}
