using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Pki;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Authority;

/// <summary>
/// The authority's keys and certificates as files that only trustd's user can read. A key is on the disk before its certificate, so that
/// power lost in between leaves a key that gets its certificate next time, never a certificate without its key. Which key belongs to which
/// authority is told by the key, not by the file's name.
/// </summary>
/// <param name="lists">Where outside verifiers find revocation lists; null when certificates are to name none.</param>
sealed class AuthorityFiles(string folder, RevocationListSection? lists = null)
{
    /// <summary>Instance octet of the serials. One trustd a cluster has the CA key today; a second one takes the next number.</summary>
    public const byte Instance = 1;

    /// <summary>Key of the authority in use.</summary>
    public string KeyFile { get; } = Path.Combine(folder, "ca.key");

    /// <summary>Its certificate, then what leads from it to a root kept elsewhere.</summary>
    public string CertificateFile { get; } = Path.Combine(folder, "ca.crt");

    /// <summary>Key of the authority that is to follow.</summary>
    public string NextKeyFile { get; } = Path.Combine(folder, "ca.next.key");

    /// <summary>Opens the authority of a folder whose ledger knows none yet, making it when there is none.</summary>
    /// <exception cref="AuthorityException">A file is unreadable, has wider permissions than its owner's, or does not fit the other.</exception>
    public (Certificate Certificate, string Chain, bool Created) OpenFirst(string cluster, TimeProvider time)
    {
        if (!File.Exists(KeyFile) && File.Exists(CertificateFile))
            throw new AuthorityException($"`{CertificateFile}` exists and its key `{KeyFile}` does not", "restore the key; a new one would make every certificate of the fleet worthless");
        if (File.Exists(NextKeyFile) && !File.Exists(KeyFile))
            throw new AuthorityException($"`{NextKeyFile}` waits for its certificate", "`trustd init --certificate FILE` takes it; without that file trustd makes an authority of its own");
        var isMade = !File.Exists(KeyFile);
        using var key = isMade ? MakeKey(KeyFile) : ReadKey(KeyFile);
        if (File.Exists(CertificateFile))
        {
            var (certificate, chain) = ReadCertificate(CertificateFile);
            RequireKey(key, certificate, KeyFile);
            if (!certificate.IsSelfIssued && Certificate.ParseBundle(Encoding.ASCII.GetBytes(chain)).Value?.Certificates.Any(c => c.IsSelfIssued) != true)
                throw new AuthorityException($"`{CertificateFile}` leads to no root", "append the certificates that lead to the root, and the root itself");
            return (certificate, chain, false);
        }
        using var authority = Require(CertificateAuthority.CreateRoot(ReadKey(KeyFile), cluster, Instance, time), CertificateFile);
        DurableFile.Write(CertificateFile, authority.Certificate.ToPem());
        return (authority.Certificate, "", true);
    }

    /// <summary>Makes a key and a root certificate for it. The key stays, the certificate is the caller's to keep.</summary>
    public Certificate MakeNext(string cluster, TimeProvider time)
    {
        using var key = MakeKey(NextKeyFile);
        using var authority = Require(CertificateAuthority.CreateRoot(ReadKey(NextKeyFile), cluster, Instance, time), NextKeyFile);
        return authority.Certificate;
    }

    /// <summary>Opens an authority that the ledger knows, with whichever file holds its key.</summary>
    public CertificateAuthority Open(LedgerAuthority authority, TimeProvider time)
    {
        var certificate = Require(Certificate.Parse(authority.Certificate.Span), "ledger.db");
        var file = new[] { KeyFile, NextKeyFile }.FirstOrDefault(f => Fits(f, certificate))
            ?? throw new AuthorityException($"no file in `{folder}` holds the key of {certificate.Subject}", "restore it from a backup; a new one would make every certificate of the fleet worthless");
        // A folder for each authority, so that lists of two that are trusted at once do not meet.
        var sharding = lists is null ? null : new CrlSharding($"{lists.Url.TrimEnd('/')}/{Issuance.Issuer.KeyIdentifier(certificate)}", (int)lists.Shards);
        return Require(CertificateAuthority.Load(certificate, ReadKey(file), Instance, time, sharding, () => ReadKey(file)), file);
    }

    /// <summary>
    /// Brings the files to what the ledger says: the only authority's key is `ca.key`, and keys of authorities that are gone are destroyed. A
    /// key that the ledger does not know is left alone: the ledger may be an old backup.
    /// </summary>
    public void Settle(RolloverState state)
    {
        if (state.Next is not null || state.Signing is not { } signing) return;
        var certificate = Require(Certificate.Parse(signing.Certificate.Span), "ledger.db");
        // One rename puts the new key in place and ends the old one.
        if (Fits(NextKeyFile, certificate)) File.Move(NextKeyFile, KeyFile, overwrite: true);
        var text = certificate.ToPem() + signing.Chain;
        if (!File.Exists(CertificateFile) || File.ReadAllText(CertificateFile) != text) DurableFile.Write(CertificateFile, text);
        var gone = state.Authorities.Where(a => !a.IsLive).Select(a => Certificate.Parse(a.Certificate.Span).Value).OfType<Certificate>();
        if (gone.Any(c => Fits(NextKeyFile, c))) File.Delete(NextKeyFile);
    }

    /// <summary>What peers trust because of this authority: itself, or the root that it leads to.</summary>
    public static string AnchorPem(LedgerAuthority authority)
    {
        var certificate = Certificate.Parse(authority.Certificate.Span).Require();
        if (certificate.IsSelfIssued) return certificate.ToPem();
        return string.Concat(Certificate.ParseBundle(Encoding.ASCII.GetBytes(authority.Chain)).Require().Certificates.Where(c => c.IsSelfIssued).Select(c => c.ToPem()));
    }

    /// <summary>What a peer needs beside a leaf to reach that anchor.</summary>
    public static ImmutableArray<ReadOnlyMemory<byte>> Intermediates(LedgerAuthority authority)
    {
        var certificate = Certificate.Parse(authority.Certificate.Span).Require();
        if (certificate.IsSelfIssued) return [];
        return [certificate.Der, .. Certificate.ParseBundle(Encoding.ASCII.GetBytes(authority.Chain)).Require().Certificates.Where(c => !c.IsSelfIssued).Select(c => c.Der)];
    }

    /// <summary>Makes a P-256 key and puts it into a file that only its owner can read.</summary>
    public static ECDsa MakeKey(string file)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DurableFile.Write(file, key.ExportPkcs8PrivateKeyPem() + "\n");
        return key;
    }

    /// <summary>Reads a private key.</summary>
    /// <exception cref="AuthorityException">Others may read or write the file, or it holds no key.</exception>
    public static ECDsa ReadKey(string file)
    {
        string text;
        try
        {
            text = DurableFile.Read(file) ?? throw new AuthorityException($"there is no `{file}`", "");
        }
        catch (IOException e)
        {
            throw new AuthorityException(e.Message, $"chmod 600 {file}, and consider the key known to others");
        }
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(text);
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            // The cause is left out: a parser's message may quote what it read.
            throw new AuthorityException($"`{file}` holds no private key in PEM form", "restore it from a backup");
        }
    }

    /// <summary>The first certificate of a file, and the rest of it as PEM.</summary>
    public static (Certificate Certificate, string Chain) ReadCertificate(string file)
    {
        var bytes = File.ReadAllBytes(file);
        var certificates = Require(Certificate.ParseBundle(bytes), file).Certificates;
        return certificates is [var first, .. var rest]
            ? (first, string.Concat(rest.Select(c => c.ToPem())))
            : throw new AuthorityException($"`{file}` holds no certificate", "");
    }

    public static void RequireKey(ECDsa key, Certificate certificate, string keyFile)
    {
        if (!key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(certificate.PublicKey.Der.Span))
            throw new AuthorityException($"the key in `{keyFile}` does not belong to the certificate of {certificate.Subject}", "give the two that belong together");
    }

    static bool Fits(string file, Certificate certificate)
    {
        if (!File.Exists(file)) return false;
        using var key = ReadKey(file);
        return key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(certificate.PublicKey.Der.Span);
    }

    public static T Require<T>(Checked<T> result, string file) where T : class =>
        result.Is(out var value, out var failure) ? value : throw new AuthorityException($"`{file}`: {failure}", failure.Hint ?? "");
}

/// <summary>The CA cannot be opened. trustd does not start without it.</summary>
sealed class AuthorityException(string sentence, string hint) : Exception(sentence)
{
    public string Hint { get; } = hint;
}
