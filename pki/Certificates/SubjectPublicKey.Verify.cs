using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Math.EC.Rfc8032;
using Talos.Linux.OpenSsl;

namespace Talos.Pki;

/// <summary>What checking a signature found.</summary>
enum SignatureVerdict
{
    Invalid = 0,
    Valid,
    Unsupported,
}

public sealed partial class SubjectPublicKey
{
    // The platform's handle of this key, made at first use and kept: trust anchors verify thousands of times.
    AsymmetricAlgorithm? _handle;
    bool _unusable;

    /// <summary>Checks <paramref name="signature"/> over <paramref name="data"/>; a key the platform refuses verifies nothing.</summary>
    internal SignatureVerdict Verify(SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        switch (algorithm.Scheme)
        {
            case SignatureScheme.Unknown:
                return SignatureVerdict.Unsupported;
            case SignatureScheme.EcdsaSha256 or SignatureScheme.EcdsaSha384 or SignatureScheme.EcdsaSha512 or SignatureScheme.EcdsaSha1:
                if (Algorithm is not (KeyAlgorithm.EcdsaP256 or KeyAlgorithm.EcdsaP384 or KeyAlgorithm.EcdsaP521))
                    return SignatureVerdict.Invalid;
                break;
            case SignatureScheme.Ed25519:
                return Algorithm == KeyAlgorithm.Ed25519 && signature.Length == Ed25519.SignatureSize
                    ? VerifyEd25519(data, signature) : SignatureVerdict.Invalid;
            case SignatureScheme.RsaSha256 or SignatureScheme.RsaSha384 or SignatureScheme.RsaSha512 or SignatureScheme.RsaSha1:
                if (Algorithm != KeyAlgorithm.Rsa || AlgorithmId != ObjectIdentifiers.RsaEncryption)
                    return SignatureVerdict.Invalid;
                break;
            case SignatureScheme.RsaPss:
                if (Algorithm != KeyAlgorithm.Rsa || (AlgorithmId == ObjectIdentifiers.RsaPss && HasParameters && !IsKeyFor(algorithm)))
                    return SignatureVerdict.Invalid;
                break;
            case SignatureScheme.MlDsa:
                return algorithm.Id == AlgorithmId ? VerifyMlDsa(data, signature) : SignatureVerdict.Invalid;
            case SignatureScheme.DsaSha1 or SignatureScheme.DsaSha256:
                if (Algorithm != KeyAlgorithm.Dsa)
                    return SignatureVerdict.Invalid;
                break;
        }

        // The platform does not promise that one key object may be used by several threads at once.
        lock (_gate)
            return VerifyWithPlatform(algorithm, data, signature);
    }

    /// <summary>Gives the platform's handle back; the next verification makes one anew.</summary>
    internal void ReleaseHandle()
    {
        lock (_gate)
        {
            _handle?.Dispose();
            _handle = null;
        }
    }

    SignatureVerdict VerifyWithPlatform(SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        AsymmetricAlgorithm? key = Handle();
        // X.690 and RFC 3279 §2.2.3: ECDSA and DSA signatures are a DER sequence of two positive integers.
        if (key is not RSA && !IsIntegerPair(signature))
            return SignatureVerdict.Invalid;
        bool valid = key switch
        {
            null => false,
            ECDsa ecdsa => ecdsa.VerifyData(data, signature, algorithm.Hash, DSASignatureFormat.Rfc3279DerSequence),
            RSA rsa => rsa.VerifyData(
                data, signature, algorithm.Hash,
                algorithm.Scheme == SignatureScheme.RsaPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1),
            DSA dsa => dsa.VerifyData(data, signature, algorithm.Hash, DSASignatureFormat.Rfc3279DerSequence),
            _ => false,
        };
        return valid ? SignatureVerdict.Valid : key is null ? SignatureVerdict.Unsupported : SignatureVerdict.Invalid;
    }

    // RFC 4055 §3.3: the parameters of a key limit its signatures to one hash; parameters that are not read here permit none.
    bool IsKeyFor(SignatureAlgorithm algorithm)
    {
        try
        {
            DerReader info = new DerReader(_der.Span).ReadSequence();
            return SignatureAlgorithm.Parse(ref info, _der).Hash == algorithm.Hash;
        }
        catch (MalformedDerException)
        {
            return false;
        }
    }

    AsymmetricAlgorithm? Handle()
    {
        if (_handle is not null || _unusable)
            return _handle;
        AsymmetricAlgorithm? created = null;
        try
        {
            created = Algorithm switch
            {
                KeyAlgorithm.EcdsaP256 or KeyAlgorithm.EcdsaP384 or KeyAlgorithm.EcdsaP521 => ImportPoint(),
                KeyAlgorithm.Rsa => RSA.Create(),
                KeyAlgorithm.Dsa when DsaParameters is not null => DSA.Create(),
                _ => null,
            };
            if (created is RSA rsa)
                rsa.ImportRSAPublicKey(_key.Span, out _);
            else if (created is DSA dsa)
                dsa.ImportSubjectPublicKeyInfo(_der.Span, out _);
            _handle = created;
        }
        catch (CryptographicException)
        {
            // A point off its curve or a modulus that the platform refuses: this key can verify nothing.
            created?.Dispose();
            _unusable = true;
        }

        return _handle;
    }

    // By curve, once a key of it was taken in; null where the platform has no such thing.
    static readonly ConcurrentDictionary<KeyAlgorithm, CurveTemplate?> s_curves = new();

    ECDsa ImportPoint()
    {
        if (s_curves.TryGetValue(Algorithm, out CurveTemplate? curve) && curve is not null)
            return curve.Import(_key.Span);
        ECDsa key = ImportByCertificate();
        s_curves.TryAdd(Algorithm, CurveTemplate.TryCreate(key));
        return key;
    }

    /// <summary>
    /// Takes the point in by way of a certificate that holds nothing else. OpenSSL decodes the key of a certificate into the form that it verifies with, and
    /// checks that the point is on its curve; the same through <see cref="ECParameters"/> costs it a second form, and before 3.5 a multiplication by the
    /// group's order, which says nothing more on curves whose order is prime (cofactor 1).
    /// </summary>
    ECDsa ImportByCertificate()
    {
        using X509Certificate2 holder = X509CertificateLoader.LoadCertificate(KeyHolder());
        return holder.GetECDsaPublicKey() ?? throw new CryptographicException("the key is none of an elliptic curve");
    }

    // Certificate ::= SEQUENCE { SEQUENCE { serial 1, algorithm, no issuer, validity, no subject, key }, algorithm, no signature }
    byte[] KeyHolder()
    {
        var writer = new DerWriter();
        using (writer.Sequence())
        {
            using (writer.Sequence())
            {
                writer.Integer(1);
                Algorithm(writer);
                writer.Sequence().Dispose();
                using (writer.Sequence())
                {
                    writer.Time(DateTimeOffset.UnixEpoch);
                    writer.Time(DateTimeOffset.UnixEpoch);
                }

                writer.Sequence().Dispose();
                writer.Raw(_der.Span);
            }

            Algorithm(writer);
            writer.Value(DerTag.BitString, [0]);
        }

        return writer.ToArray();

        static void Algorithm(DerWriter writer)
        {
            using (writer.Sequence())
                writer.ObjectIdentifier(ObjectIdentifiers.Sha256WithEcdsa);
        }
    }

    SignatureVerdict VerifyEd25519(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        Ed25519.Verify(signature.ToArray(), 0, _key.ToArray(), 0, data.ToArray(), 0, data.Length)
            ? SignatureVerdict.Valid : SignatureVerdict.Invalid;

    SignatureVerdict VerifyMlDsa(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!MLDsa.IsSupported)
            return SignatureVerdict.Unsupported;
        MLDsaAlgorithm parameters = Algorithm switch
        {
            KeyAlgorithm.MlDsa44 => MLDsaAlgorithm.MLDsa44,
            KeyAlgorithm.MlDsa65 => MLDsaAlgorithm.MLDsa65,
            _ => MLDsaAlgorithm.MLDsa87,
        };
        using MLDsa key = MLDsa.ImportMLDsaPublicKey(parameters, _key.Span);
        return signature.Length == parameters.SignatureSizeInBytes && key.VerifyData(data, signature)
            ? SignatureVerdict.Valid : SignatureVerdict.Invalid;
    }

    static bool IsIntegerPair(ReadOnlySpan<byte> signature)
    {
        try
        {
            var outer = new DerReader(signature);
            DerReader pair = outer.ReadSequence();
            outer.RequireEnd();
            bool positive = pair.ReadInteger().Content[0] < 0x80 && pair.ReadInteger().Content[0] < 0x80;
            return positive && pair.AtEnd;
        }
        catch (MalformedDerException)
        {
            return false;
        }
    }
}
