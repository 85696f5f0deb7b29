namespace Talos.Policy;

/// <summary>A loaded bundle: its modules, its data and the revision that names both.</summary>
public sealed partial class PolicyBundle
{
    PolicyBundle(string revision, IReadOnlyList<BundleFile> files)
    {
        Revision = revision;
        Files = files;
    }

    /// <summary>The manifest's revision, or else <c>sha256:</c> and the hash over names and contents of all files.</summary>
    public string Revision { get; }

    internal IReadOnlyList<BundleFile> Files { get; }

    /// <summary>Loads a directory, or a gzip-compressed tar, in OPA's bundle layout.</summary>
    /// <exception cref="PolicyException">The bundle is malformed; all errors are listed, each with file, line and column.</exception>
    public static PolicyBundle Load(string directoryOrTarGz) =>
        TryLoad(directoryOrTarGz, out PolicyBundle? bundle, out IReadOnlyList<PolicyError> errors) ? bundle! : throw new PolicyException(errors);

    public static bool TryLoad(string directoryOrTarGz, out PolicyBundle? bundle, out IReadOnlyList<PolicyError> errors)
    {
        bundle = null;
        try
        {
            IReadOnlyList<BundleFile> files = BundleReader.Read(directoryOrTarGz);
            bundle = new PolicyBundle(BundleReader.Revision(files), files);
            errors = [];
            return true;
        }
        catch (PolicyException e)
        {
            errors = e.Errors;
            return false;
        }
    }
}

/// <summary>One file of a bundle; the path is relative, with forward slashes.</summary>
sealed record BundleFile(string Path, byte[] Content);
