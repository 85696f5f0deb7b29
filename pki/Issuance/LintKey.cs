using System.Numerics;
using System.Security.Cryptography;

namespace Talos.Pki;

/// <summary>
/// The throw-away key under which a certificate is linted before the authority's own key touches it: made with its process, trusted by nobody, exported
/// nowhere. What it signs is valid ECDSA over P-256, of the same form and length as the authority's.
/// </summary>
/// <remarks>
/// Its nonce is made once. Anyone with two of its signatures could therefore compute the key, which would gain nothing: no certificate names it, and the
/// drafts never leave the authority that lints them. For that a draft costs a microsecond instead of a second signature.
/// INVARIANT: signs drafts for lint and nothing else. A key that anyone is to believe signs with <see cref="ECDsa"/>.
/// </remarks>
sealed class LintKey
{
    // FIPS 186-4 §D.1.2.3: the order of P-256's base point.
    static readonly BigInteger s_order = Unsigned(Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"));

    readonly BigInteger _inverseOfNonce;
    readonly BigInteger _r;
    readonly BigInteger _rTimesKey;

    public LintKey()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256), nonce = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECParameters pair = nonce.ExportParameters(includePrivateParameters: true);
        PublicKey = key.ExportSubjectPublicKeyInfo();
        _r = Unsigned(pair.Q.X!) % s_order;
        _rTimesKey = _r * Unsigned(key.ExportParameters(includePrivateParameters: true).D!) % s_order;
        // Fermat: the order is prime.
        _inverseOfNonce = BigInteger.ModPow(Unsigned(pair.D!), s_order - 2, s_order);
    }

    /// <summary>SubjectPublicKeyInfo.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>An ECDSA-Sig-Value (RFC 3279 §2.2.3) over SHA-256 of <paramref name="draft"/>: s = (digest + r·key) / nonce.</summary>
    public byte[] Sign(ReadOnlySpan<byte> draft)
    {
        BigInteger s = (Unsigned(SHA256.HashData(draft)) + _rTimesKey) * _inverseOfNonce % s_order;
        var writer = new DerWriter(80);
        using (writer.Sequence())
        {
            writer.UnsignedInteger(_r.ToByteArray(isUnsigned: true, isBigEndian: true));
            writer.UnsignedInteger(s.ToByteArray(isUnsigned: true, isBigEndian: true));
        }

        return writer.ToArray();
    }

    static BigInteger Unsigned(ReadOnlySpan<byte> octets) => new(octets, isUnsigned: true, isBigEndian: true);
}
