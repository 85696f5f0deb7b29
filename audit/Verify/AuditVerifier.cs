namespace Talos.Audit;

/// <summary>Verifies a record offline: every entry, the tree over them, the signatures, the clocks, the calls, the witnesses.</summary>
public static class AuditVerifier
{
    /// <summary>
    /// Verifies the log in <paramref name="directory"/>, a copy of it, or an export. Reads only. Nothing found in the files is an
    /// exception: it is a finding, the earliest entry first. Throws <see cref="IOException"/> when the directory cannot be read at all.
    /// </summary>
    public static AuditVerification Verify(string directory, AuditVerifierOptions options)
    {
        if (!Directory.Exists(directory)) throw new DirectoryNotFoundException($"there is no directory `{directory}`");
        return new VerificationRun(new TileStore(Path.GetFullPath(directory)), options).Run();
    }
}
