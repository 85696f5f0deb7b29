using System.Security.Cryptography;
using Talos.Linux.Native;

namespace Talos.Linux.OpenSsl;

/// <summary>
/// Takes in public keys of one elliptic curve: each is a copy of a first key whose point is replaced. What the platform offers decodes or rebuilds the curve
/// with each key, at three times the cost and more. Safe for several threads; held for the life of the process.
/// </summary>
public sealed class CurveTemplate
{
    const byte Uncompressed = 4;

    readonly SafeEvpPKeyHandle _model;

    CurveTemplate(SafeEvpPKeyHandle model) => _model = model;

    /// <param name="model">Any public key of the curve; nothing but its curve is used, and a private one is refused.</param>
    /// <returns>Null where keys are not those of OpenSSL 3, which has these calls: another system, another release.</returns>
    public static CurveTemplate? TryCreate(ECDsa model)
    {
        if (!OperatingSystem.IsLinux() || SafeEvpPKeyHandle.OpenSslVersion >> 28 != 3 || model is not ECDsaOpenSsl key)
            return null;
        // Beside another's point, a private part would be half of a pair that does not match.
        if (HasPrivatePart(key))
            throw new ArgumentException("a model is a public key", nameof(model));
        ECParameters parameters = key.ExportParameters(includePrivateParameters: false);
        var created = new CurveTemplate(key.DuplicateKeyHandle());
        try
        {
            // The model's own point, through the calls that are to be relied on.
            using ECDsa same = created.Import([Uncompressed, .. parameters.Q.X!, .. parameters.Q.Y!]);
            ECParameters again = same.ExportParameters(includePrivateParameters: false);
            if (again.Q.X.AsSpan().SequenceEqual(parameters.Q.X) && again.Q.Y.AsSpan().SequenceEqual(parameters.Q.Y))
                return created;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // An OpenSSL under another name.
        }

        created._model.Dispose();
        return null;
    }

    /// <summary>The public key whose point is <paramref name="point"/>, uncompressed (SEC 1 §2.3.3).</summary>
    /// <exception cref="CryptographicException">It is no point of the curve, or in another form.</exception>
    public ECDsa Import(ReadOnlySpan<byte> point)
    {
        // OpenSSL would take the point at infinity too, which is no key.
        if (point is not [Uncompressed, ..])
            throw new CryptographicException("the octets are no uncompressed point");
        using SafeEvpPKeyHandle copy = LibCrypto.EVP_PKEY_dup(_model);
        if (copy.IsInvalid || LibCrypto.EVP_PKEY_set1_encoded_public_key(copy, point, (nuint)point.Length) != 1)
        {
            // What is left in the thread's queue would be told of a later call.
            LibCrypto.ERR_clear_error();
            throw new CryptographicException("the octets are no point of the curve");
        }

        return new ECDsaOpenSsl(copy);
    }

    static bool HasPrivatePart(ECDsaOpenSsl key)
    {
        try
        {
            CryptographicOperations.ZeroMemory(key.ExportParameters(includePrivateParameters: true).D);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
