namespace Talos.Policy;

/// <summary>How a bundle must be signed.</summary>
/// <param name="KeyPem">A public key or certificate in PEM.</param>
/// <param name="KeyId">The <c>keyid</c> that the signature must carry; null accepts any.</param>
/// <param name="Scope">The <c>scope</c> that the signature must carry; null accepts any.</param>
public sealed record BundleVerification(string KeyPem, string? KeyId = null, string? Scope = null);

/// <summary>A loaded bundle: its modules compiled, its data, and the revision that names both.</summary>
public sealed class PolicyBundle
{
    PolicyBundle(string revision, Program program)
    {
        Revision = revision;
        Program = program;
    }

    /// <summary>The manifest's revision, or else <c>sha256:</c> and the hash over names and contents of all files.</summary>
    public string Revision { get; }

    internal Program Program { get; }

    /// <summary>The full names of the methods that the bundle has rules for.</summary>
    public IReadOnlyList<string> Methods => Ruleset.NamedMethods(this);

    /// <summary>The bundle's modules and data, to ask queries of.</summary>
    public RegoProgram ToProgram() => new(Program);

    /// <summary>Loads a directory, or a gzip-compressed tar, in OPA's bundle layout.</summary>
    /// <param name="directoryOrTarGz">Where the bundle is.</param>
    /// <param name="verification">When given, a bundle without a valid signature over every file is refused.</param>
    /// <exception cref="PolicyException">The bundle is malformed, unsigned or tampered with; all errors are listed, each with file, line and column.</exception>
    public static PolicyBundle Load(string directoryOrTarGz, BundleVerification? verification = null) =>
        TryLoad(directoryOrTarGz, verification, out PolicyBundle? bundle, out IReadOnlyList<PolicyError> errors) ? bundle! : throw new PolicyException(errors);

    public static bool TryLoad(string directoryOrTarGz, out PolicyBundle? bundle, out IReadOnlyList<PolicyError> errors) => TryLoad(directoryOrTarGz, null, out bundle, out errors);

    public static bool TryLoad(string directoryOrTarGz, BundleVerification? verification, out PolicyBundle? bundle, out IReadOnlyList<PolicyError> errors) =>
        TryLoad(() => BundleReader.Read(directoryOrTarGz), verification, out bundle, out errors);

    /// <summary>Loads a gzip-compressed tar that came over the network.</summary>
    /// <param name="tarGz">The bundle.</param>
    /// <param name="maxBytes">What it may hold unpacked.</param>
    /// <param name="verification">When given, a bundle without a valid signature over every file is refused.</param>
    /// <exception cref="PolicyException">The bundle is malformed, too large, unsigned or tampered with.</exception>
    public static PolicyBundle Load(ReadOnlyMemory<byte> tarGz, long maxBytes, BundleVerification? verification) =>
        TryLoad(() => BundleReader.Read(tarGz, maxBytes), verification, out PolicyBundle? bundle, out IReadOnlyList<PolicyError> errors) ? bundle! : throw new PolicyException(errors);

    static bool TryLoad(Func<IReadOnlyList<BundleFile>> read, BundleVerification? verification, out PolicyBundle? bundle, out IReadOnlyList<PolicyError> errors)
    {
        bundle = null;
        try
        {
            IReadOnlyList<BundleFile> files = read();
            if (verification is not null) BundleSignature.Verify(files, verification);
            var found = new List<PolicyError>();
            ObjectValue data = BundleContent.Data(files, found);
            Program? program = Compiler.Compile(BundleContent.Modules(files, false), data, found);
            if (program is not null) BundleContent.CheckRoots(files, program, found);
            errors = found;
            if (program is null || found.Count > 0) return false;
            bundle = new PolicyBundle(BundleReader.Revision(files), program);
            return true;
        }
        catch (PolicyException e)
        {
            errors = e.Errors;
            return false;
        }
    }

    /// <summary>All errors of a bundle, its tests included, and what OPA's strict mode calls errors: imports that nothing uses.</summary>
    public static IReadOnlyList<PolicyError> CheckStrictly(string directoryOrTarGz)
    {
        try
        {
            IReadOnlyList<BundleFile> files = BundleReader.Read(directoryOrTarGz);
            var found = new List<PolicyError>();
            ObjectValue data = BundleContent.Data(files, found);
            if (Compiler.Compile(BundleContent.Modules(files, true), data, found, strict: true) is { } program) BundleContent.CheckRoots(files, program, found);
            return found;
        }
        catch (PolicyException e)
        {
            return e.Errors;
        }
    }

    /// <summary>The content of <c>.signatures.json</c> for a bundle: hashes of every file, signed.</summary>
    /// <param name="directory">The bundle.</param>
    /// <param name="privateKeyPem">An EC (P-256) or RSA private key.</param>
    /// <param name="keyId">Names the key to whoever verifies.</param>
    /// <param name="scope">What the bundle is for; may be empty.</param>
    /// <exception cref="PolicyException">The bundle cannot be read, or the key is none to sign with.</exception>
    public static string Sign(string directory, string privateKeyPem, string keyId, string scope = "") =>
        BundleSignature.Sign(BundleReader.Read(directory), privateKeyPem, keyId, scope);

    /// <summary>The files of a bundle as a tar.gz, to be sent; the same files give the same bytes.</summary>
    /// <param name="directoryOrTarGz">The bundle.</param>
    /// <param name="signatures">Takes the place of its <c>.signatures.json</c>; null leaves that as it is.</param>
    /// <exception cref="PolicyException">The bundle cannot be read.</exception>
    public static byte[] Pack(string directoryOrTarGz, string? signatures = null)
    {
        IReadOnlyList<BundleFile> files = BundleReader.Read(directoryOrTarGz);
        if (signatures is not null)
            files = [.. files.Where(f => f.Path != BundleSignature.FileName), new BundleFile(BundleSignature.FileName, System.Text.Encoding.UTF8.GetBytes(signatures))];
        return BundleReader.Pack(files);
    }
}

/// <summary>One file of a bundle; the path is relative, with forward slashes.</summary>
sealed record BundleFile(string Path, byte[] Content);
