using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>
/// A server's key and certificate: made here, never sent, kept over a restart, renewed in the second half of their life and put into a
/// <see cref="TrustSlot"/> without anyone noticing. One instance a process.
/// </summary>
public sealed partial class NodeIdentity
{
    readonly NodeIdentityOptions options;
    readonly ICertificateSource source;
    readonly ILogger log;
    readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    readonly Lock gate = new();
    DateTimeOffset renewAt = DateTimeOffset.MinValue;
    TaskCompletionSource wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile TaskCompletionSource renewed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // What is waited for, as the log was told it; empty when nothing is. Only the renewal loop touches it.
    string waiting = "", complaint = "", unnamed = "";
    bool isRefused;

    // What to do about a folder that holds another machine's certificate; empty when it does not.
    string renamed = "";

    NodeIdentity(NodeIdentityOptions options, ICertificateSource source, ILogger log)
    {
        this.options = options;
        this.source = source;
        this.log = log;
    }

    /// <summary>Holds the certificate in use.</summary>
    public TrustSlot Slot { get; } = new();

    /// <summary>Ends when <see cref="Slot"/> holds a certificate for the first time.</summary>
    public Task Ready => ready.Task;

    /// <summary>Completes at the next renewal after it was read.</summary>
    public Task Renewed => renewed.Task;

    string KeyAndChain => Path.Combine(options.Folder, "identity.pem");

    string Bundle => Path.Combine(options.Folder, "bundle.pem");

    // Of what the configuration pinned when the machine enrolled: what is in the bundle now was learned from there on.
    string Pin => Path.Combine(options.Folder, "bundle.pin");

    string Pending => Path.Combine(options.Folder, "pending.pem");

    /// <summary>Takes up what an earlier run left, if it is still good.</summary>
    /// <exception cref="IOException">The folder cannot be used, or its files are open to others.</exception>
    public static NodeIdentity Open(NodeIdentityOptions options, ICertificateSource source, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(options);
        Directory.CreateDirectory(options.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var identity = new NodeIdentity(options, source, log);
        identity.Load();
        if (identity.Slot.Current is { } loaded) identity.renewAt = MomentToRenew(loaded);
        return identity;
    }

    /// <summary>
    /// Trusts exactly these certificates from now on, and after a restart. The own certificate stays as it is, whether or not they vouch for it:
    /// an authority that is to be trusted no more must not be kept alive by those who hold its certificates.
    /// </summary>
    /// <param name="bundlePem">What trustd said, over a connection that the trust of before accepted.</param>
    /// <exception cref="EnrollmentException">The bundle is malformed or empty; nothing changed.</exception>
    /// <exception cref="IOException">It cannot be kept; nothing changed.</exception>
    public void Adopt(string bundlePem)
    {
        ArgumentNullException.ThrowIfNull(bundlePem);
        if (!TrustStore.Parse(System.Text.Encoding.UTF8.GetBytes(bundlePem)).Is(out var roots, out var fault) || roots.Anchors.IsEmpty)
            throw new EnrollmentException(EnrollmentFailure.BadAnswer, $"the certificates to trust are malformed: {fault?.ToString() ?? "there are none"}");
        lock (gate)
        {
            if (Slot.Current is not { } current || IsTrusted(current, roots)) return;
            DurableFile.Write(Bundle, bundlePem);
            Slot.Set(current.With(roots));
        }
    }

    /// <summary>
    /// What this machine was told to trust, step by step, by authorities that it trusted before, beginning with what its configuration still pins. So a
    /// configuration that names an authority which has retired since does not lock the machine out when its certificate has ended.
    /// </summary>
    TrustStore? Learned() =>
        options.Pinned is { } pinned && DurableFile.Read(Pin) == DigestOf(pinned) && DurableFile.Read(Bundle) is { } bundle
            && TrustStore.Parse(System.Text.Encoding.UTF8.GetBytes(bundle)).Is(out var roots, out _) && !roots.Anchors.IsEmpty ? roots : null;

    static string DigestOf(TrustStore roots) =>
        string.Concat(roots.Anchors.Select(a => Convert.ToHexStringLower(SHA256.HashData(a.Der.Span)) + "\n").Order(StringComparer.Ordinal));

    static bool IsTrusted(TrustMaterial current, TrustStore roots) =>
        current.Roots is { } known && known.Anchors.Length == roots.Anchors.Length && !known.Anchors.Except(roots.Anchors).Any();

    void Load()
    {
        if (DurableFile.Read(KeyAndChain) is not { } text || DurableFile.Read(Bundle) is not { } bundle) return;
        try
        {
            using var key = ECDsa.Create();
            key.ImportFromPem(text);
            var blocks = Pem.Read(System.Text.Encoding.UTF8.GetBytes(text)).Require().Blocks.Where(b => b.Label == Pem.Certificate).ToArray();
            if (blocks.Length == 0) throw new EnrollmentException(EnrollmentFailure.BadAnswer, "the file holds no certificate");
            Use(key, new CertificateGrant(blocks[0].Der, [.. blocks[1..].Select(b => b.Der)], bundle));
            ready.SetResult();
        }
        catch (Exception e) when (e is EnrollmentException or CryptographicException or ArgumentException or PkiRefusedException)
        {
            // Expired, damaged, or of another node: a new one is asked for, and the old file stays until it is there.
            log.LogWarning("the certificate in {File} is of no use: {Reason}", KeyAndChain, e.Message);
            if (e is EnrollmentException { Failure: EnrollmentFailure.OtherName })
            {
                renamed = $"; the state disk is another machine's, or this one was renamed: in `{KeyAndChain}` {e.Message}; hint: give the machine that name again, or let it in "
                    + $"under its new one: a token of `osctl token create --name {options.Name}` or a person's approval, then `osctl cert revoke --name` with the other name";
            }
        }
    }

    /// <summary>Checks that a grant is what was asked for, and puts it into the slot.</summary>
    /// <exception cref="EnrollmentException">It is not.</exception>
    void Use(ECDsa key, CertificateGrant grant)
    {
        if (!TrustStore.Parse(System.Text.Encoding.UTF8.GetBytes(grant.BundlePem)).Is(out var roots, out var fault))
            throw new EnrollmentException(EnrollmentFailure.BadAnswer, $"the certificates to trust are malformed: {fault}");
        var result = PathValidator.Validate(grant.Certificate, grant.Intermediates, roots, new ValidationOptions
        {
            Time = options.Time.GetUtcNow(),
            Purpose = ValidationPurpose.Server,
            ExpectedKinds = [options.Kind],
            ExpectedCluster = options.Cluster,
        });
        if (result.Peer is not { } peer) throw new EnrollmentException(EnrollmentFailure.BadAnswer, result.Message);
        if (peer.Name != options.Name)
            throw new EnrollmentException(EnrollmentFailure.OtherName, $"the certificate is for `{peer.Name}`, not for `{options.Name}`");
        using var bare = X509CertificateLoader.LoadCertificate(grant.Certificate.Span);
        using var certified = bare.GetECDsaPublicKey();
        if (certified is null || !certified.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
            throw new EnrollmentException(EnrollmentFailure.BadAnswer, "the certificate is for another key");
        var intermediates = grant.Intermediates.Select(i => X509CertificateLoader.LoadCertificate(i.Span)).ToArray();
        Slot.Set(new TrustMaterial(bare.CopyWithPrivateKey(key), intermediates, roots));
    }

    void Keep(ECDsa key, CertificateGrant grant, bool enrolled)
    {
        // The bundle first: with the old certificate it still makes a whole, the other way round it might not.
        DurableFile.Write(Bundle, grant.BundlePem);
        // And before its pin: a bundle of an older configuration must never pass for one that was learned under this.
        if (enrolled && options.Pinned is { } pinned) DurableFile.Write(Pin, DigestOf(pinned));
        else if (enrolled) File.Delete(Pin);
        var chain = string.Concat(grant.Intermediates.Prepend(grant.Certificate).Select(der => Pem.Write(Pem.Certificate, der.Span)));
        DurableFile.Write(KeyAndChain, $"{key.ExportPkcs8PrivateKeyPem()}\n{chain}");
        File.Delete(Pending);
    }
}
