using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Audit;
using Talos.Pki;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Authority;

/// <summary>
/// Gives a stopped trustd an authority that it does not make itself: an intermediate under a root kept elsewhere, or one that exists. What is taken
/// has proved in memory that peers will accept what it signs.
/// </summary>
static class AuthorityInit
{
    /// <summary>Makes a key and writes a request for the root's keeper to sign.</summary>
    public static async Task RequestAsync(TrustdConfiguration configuration, string csrFile, TimeProvider time)
    {
        Prepare(configuration);
        var files = new AuthorityFiles(configuration.State);
        await RequireNoRootAsync(configuration, files, time);
        // A second request is for the same key: the first may be on its way already.
        using var key = File.Exists(files.NextKeyFile) ? AuthorityFiles.ReadKey(files.NextKeyFile) : AuthorityFiles.MakeKey(files.NextKeyFile);
        using var request = CertificateSigningRequest.CreateForAuthority(key, configuration.Cluster);
        File.WriteAllText(csrFile, request.Pem);
    }

    /// <summary>Takes the certificate for that request: the file holds it first, then what leads to its root, the root last.</summary>
    /// <returns>The certificate.</returns>
    public static async Task<Certificate> FinishAsync(TrustdConfiguration configuration, string certificateFile, TimeProvider time, CancellationToken cancellation)
    {
        Prepare(configuration);
        var files = new AuthorityFiles(configuration.State);
        if (!File.Exists(files.NextKeyFile))
            throw new AuthorityException($"there is no `{files.NextKeyFile}`, so no request was made here", "`trustd init --csr FILE` makes one");
        return await TakeAsync(configuration, files, certificateFile, time, cancellation);
    }

    /// <summary>Takes an authority that exists, with its key.</summary>
    /// <returns>The certificate.</returns>
    public static async Task<Certificate> TakeOverAsync(TrustdConfiguration configuration, string keyFile, string certificateFile, TimeProvider time, CancellationToken cancellation)
    {
        Prepare(configuration);
        var files = new AuthorityFiles(configuration.State);
        if (File.Exists(files.NextKeyFile))
            throw new AuthorityException($"`{files.NextKeyFile}` waits for its certificate", "finish with `trustd init --certificate FILE`, or remove that file");
        using (var key = AuthorityFiles.ReadKey(keyFile))
        {
            var (certificate, chain) = AuthorityFiles.ReadCertificate(certificateFile);
            AuthorityFiles.RequireKey(key, certificate, keyFile);
            using var trial = await TryAsync(configuration.Cluster, certificate, chain, AuthorityFiles.ReadKey(keyFile), certificateFile, time);
            DurableFile.Write(files.NextKeyFile, key.ExportPkcs8PrivateKeyPem() + "\n");
        }
        try
        {
            return await TakeAsync(configuration, files, certificateFile, time, cancellation);
        }
        catch (AuthorityException)
        {
            // Refused, so the copy is of no use; the original is where it was.
            File.Delete(files.NextKeyFile);
            throw;
        }
    }

    static async Task<Certificate> TakeAsync(TrustdConfiguration configuration, AuthorityFiles files, string certificateFile, TimeProvider time, CancellationToken cancellation)
    {
        var (certificate, chain) = AuthorityFiles.ReadCertificate(certificateFile);
        using (var key = AuthorityFiles.ReadKey(files.NextKeyFile)) AuthorityFiles.RequireKey(key, certificate, files.NextKeyFile);
        using (await TryAsync(configuration.Cluster, certificate, chain, AuthorityFiles.ReadKey(files.NextKeyFile), certificateFile, time)) { }

        // Whoever holds the record's lock is a trustd that runs.
        using var signer = Ed25519CheckpointSigner.LoadOrCreate(Path.Combine(configuration.State, "audit.key"), $"{configuration.Cluster}/{configuration.Node}/trustd");
        await using var record = AuditLog.Open(Path.Combine(configuration.State, "audit"), new AuditLogOptions { Signer = signer, Node = configuration.Node, TimeProvider = time });
        await using var ledger = CertificateLedger.Open(Path.Combine(configuration.State, "ledger.db"), time);
        var before = ledger.ReadRollover();
        var added = new LedgerAuthority(
            before.Authorities.Select(a => a.Generation).DefaultIfEmpty().Max() + 1, certificate.Fingerprint, certificate.Der, chain, ReadOnlyMemory<byte>.Empty, AuthorityState.Signing);
        if (before.Authorities.IsEmpty) await ledger.AddFirstAuthorityAsync(added, cancellation);
        else if (before.Signing is { } signing && signing.Fingerprint != added.Fingerprint) await ledger.ChangeAuthoritiesAsync(state => Replace(state, added), cancellation);
        // Files follow the ledger here as at every start.
        files.Settle(ledger.ReadRollover());
        await record.AppendAsync(AuditEvents.RolloverStep("taken", before.Signing?.Fingerprint ?? "", certificate.Fingerprint, "trustd init"), cancellation);
        foreach (var step in ledger.ReadRollover().Events.Take(1)) await ledger.MarkRolloverRecordedAsync(step.Sequence, cancellation);
        return certificate;
    }

    static RolloverChange Replace(RolloverState state, LedgerAuthority added)
    {
        if (state.Phase != RolloverPhase.Steady || state.Signing is not { } signing) throw UnderWay();
        // Peers trust the root, so an authority under the same one takes over without a word to anyone.
        if (AuthorityFiles.AnchorPem(signing) != AuthorityFiles.AnchorPem(added))
            throw new AuthorityException("the certificate leads to another root than the one that the cluster trusts", "a cluster changes its root with `osctl ca rotate`");
        return new RolloverChange(
            RolloverStep.Replace, RolloverPhase.Steady, "trustd init", Forced: false, added, ImmutableSortedDictionary<long, AuthorityState>.Empty.Add(signing.Generation, AuthorityState.Retired));
    }

    /// <summary>Has the authority sign a certificate that never leaves this process, and asks the validator whether a peer would accept it.</summary>
    static async Task<CertificateAuthority> TryAsync(string cluster, Certificate certificate, string chain, ECDsa key, string file, TimeProvider time)
    {
        var authority = AuthorityFiles.Require(CertificateAuthority.Load(certificate, key, AuthorityFiles.Instance, time), file);
        var all = Certificate.ParseBundle(Encoding.ASCII.GetBytes(certificate.ToPem() + chain)).Require().Certificates;
        var roots = all.Where(c => c.IsSelfIssued).ToArray();
        if (roots.Length == 0)
            throw new AuthorityException($"`{file}` holds no root", "append the certificates that lead to the root, and the root itself");
        using var request = CertificateSigningRequest.Create("trial");
        var prepared = AuthorityFiles.Require(
            await authority.PrepareAsync(CertificateProfile.Trustd, new IdentityGrant { Cluster = cluster, Name = "trial" }, VerifiedRequest.Parse(request.Der.Span).Require(), (_, _) => new(SerialVerdict.Recorded)), file);
        var result = PathValidator.Validate(authority.Issue(prepared), [.. all.Where(c => !c.IsSelfIssued)], TrustStore.Create(roots), new ValidationOptions
        {
            Time = time.GetUtcNow(),
            Purpose = ValidationPurpose.Server,
            ExpectedKinds = [PeerKind.Trustd],
            ExpectedCluster = cluster,
        });
        if (result.Reason != ValidationReason.Valid)
            throw new AuthorityException($"peers would not accept what the authority in `{file}` signs: {result.Message}", result.Hint ?? "see docs/design/pki.md for what an authority needs");
        return authority;
    }

    static async Task RequireNoRootAsync(TrustdConfiguration configuration, AuthorityFiles files, TimeProvider time)
    {
        if (!File.Exists(files.KeyFile)) return;
        await using var ledger = CertificateLedger.Open(Path.Combine(configuration.State, "ledger.db"), time);
        var state = ledger.ReadRollover();
        if (state.Phase != RolloverPhase.Steady) throw UnderWay();
        if (state.Signing is not { Chain.Length: > 0 })
            throw new AuthorityException("the cluster has a root of its own", "a cluster changes its root with `osctl ca rotate`");
    }

    static AuthorityException UnderWay() => new("a change of the authority is under way", "`osctl ca status` tells where it stands; end or undo it first");

    static void Prepare(TrustdConfiguration configuration) =>
        Directory.CreateDirectory(configuration.State, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
}
