using System.Security.Cryptography;
using Talos.Pki;

namespace Talos.Trustd.Authority;

/// <summary>
/// The CA's key and certificate as files that only trustd's user can read. They are made at the first start; a key is on the disk before
/// its certificate, so that power lost in between leaves a key that gets its certificate next time, never a certificate without its key.
/// </summary>
static class AuthorityFiles
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Instance octet of the serials. One trustd a cluster has the CA key today; a second one takes the next number.</summary>
    public const byte Instance = 1;

    /// <summary>Opens the authority of this folder, making it when there is none.</summary>
    /// <returns>The authority, and whether it was made just now.</returns>
    /// <exception cref="AuthorityException">A file is unreadable, has wider permissions than its owner's, or does not fit the other.</exception>
    public static (CertificateAuthority Authority, bool Created) Open(string folder, string cluster, TimeProvider time)
    {
        var keyFile = Path.Combine(folder, "ca.key");
        var certificateFile = Path.Combine(folder, "ca.crt");
        var key = File.Exists(keyFile) ? ReadKey(keyFile) : MakeKey(keyFile, certificateFile);
        if (!File.Exists(certificateFile))
        {
            var made = Require(CertificateAuthority.CreateRoot(key, cluster, Instance, time), certificateFile);
            WriteDurably(certificateFile, made.Certificate.ToPem());
            return (made, true);
        }
        var certificate = Require(Certificate.Parse(File.ReadAllBytes(certificateFile)), certificateFile);
        return (Require(CertificateAuthority.Load(certificate, key, Instance, time), certificateFile), false);
    }

    static ECDsa MakeKey(string keyFile, string certificateFile)
    {
        if (File.Exists(certificateFile))
            throw new AuthorityException($"`{certificateFile}` exists and its key `{keyFile}` does not", "restore the key; a new one would make every certificate of the fleet worthless");
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        WriteDurably(keyFile, key.ExportPkcs8PrivateKeyPem() + "\n");
        return key;
    }

    static ECDsa ReadKey(string file)
    {
        if ((File.GetUnixFileMode(file) & ~OwnerOnly) != 0)
            throw new AuthorityException($"`{file}` can be read or written by others than its owner", $"chmod 600 {file}, and consider the key known to others");
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(file));
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            // The cause is left out: a parser's message may quote what it read.
            throw new AuthorityException($"`{file}` holds no private key in PEM form", "restore it from a backup");
        }
    }

    static T Require<T>(Checked<T> result, string file) where T : class =>
        result.Is(out var value, out var failure) ? value : throw new AuthorityException($"`{file}`: {failure}", failure.Hint ?? "");

    static void WriteDurably(string file, string text)
    {
        var fresh = file + ".new";
        using (var stream = new FileStream(fresh, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }
        File.Move(fresh, file);
    }
}

/// <summary>The CA cannot be opened. trustd does not start without it.</summary>
sealed class AuthorityException(string sentence, string hint) : Exception(sentence)
{
    public string Hint { get; } = hint;
}
