using Microsoft.Extensions.Logging;
using Talos.Api.Policy.V1;
using Talos.Audit;
using Talos.Policy;

namespace Talos.Api.Server;

/// <summary>Where a server's policy comes from, and what it asks of another.</summary>
public sealed partial record PolicySource
{
    /// <summary>The bundle of the release: a directory or a tar.gz.</summary>
    public required string Shipped { get; init; }

    /// <summary>Folder in which a pushed bundle is kept across starts; null keeps none, and then none can be pushed.</summary>
    public string? Folder { get; init; }

    /// <summary>Public key in PEM that must have signed what is pushed; null takes unsigned bundles too.</summary>
    public string? KeyPem { get; init; }

    /// <summary>Decides instead of the bundle.</summary>
    public OutsideOpa? Outside { get; init; }
}

/// <summary>
/// The policy that decides a server's calls. Another bundle takes its place at once and wholly; calls finish under the one they began with.
/// Thread-safe.
/// </summary>
public sealed class PolicyInForce
{
    // LIMIT: what a pushed bundle may hold unpacked; a node's policy is text of a few hundred kilobytes at most.
    const long MaxUnpacked = 16 << 20;

    readonly PolicySource source;
    readonly PolicyBundle shipped;
    readonly BundleVerification? verification;
    volatile Authorizer? authorizer;
    IssuancePolicy? issuance;
    int changing;
    volatile PolicyState state = new("", PolicyOrigin.Unspecified, default, "");

    PolicyInForce(PolicySource source, PolicyBundle shipped)
    {
        this.source = source;
        this.shipped = shipped;
        verification = source.KeyPem is { } pem ? new BundleVerification(pem) : null;
    }

    /// <summary>Loads the shipped bundle; nothing is in force before the server starts.</summary>
    /// <exception cref="PolicyException">It is in error.</exception>
    public static PolicyInForce Open(PolicySource source) => new(source, PolicyBundle.Load(source.Shipped));

    /// <summary>What decides in process; for rules besides those of calls, and for questions. Null before the server starts.</summary>
    public Authorizer? Authorizer => authorizer;

    /// <summary>What decides certificates: it follows the bundle that is in force for calls. Called before the server starts.</summary>
    /// <param name="ways">All ways in which the server lets certificates be asked for.</param>
    /// <exception cref="PolicyException">The shipped bundle has no rule for some of the ways.</exception>
    public IssuancePolicy ForCertificates(IReadOnlyCollection<string> ways) => issuance = IssuancePolicy.Create(shipped, ways);

    internal PolicyState State => state;

    internal bool IsSignatureRequired => verification is not null;

    internal Uri? Outside => source.Outside?.Address;

    Authorizer Required => authorizer ?? throw new InvalidOperationException("the server was not started");

    /// <summary>Decides; whatever goes wrong is a deny.</summary>
    internal ValueTask<Talos.Policy.Decision> DecideAsync(AuthorizationInput input, CancellationToken cancellation) =>
        source.Outside is { } opa ? new ValueTask<Talos.Policy.Decision>(opa.DecideAsync(input, cancellation)) : new ValueTask<Talos.Policy.Decision>(Required.Decide(input));

    /// <summary>
    /// Puts the shipped bundle in force, then the one that was pushed earlier. A kept bundle that is no longer good, because another key is
    /// configured or a new release has a method that it does not name, stays where it is and is not used: refusing to start would leave a
    /// node that nobody can reach, and whoever can write the folder could as well empty it.
    /// </summary>
    /// <exception cref="PolicyException">The shipped bundle names not every method.</exception>
    internal void Start(IReadOnlyCollection<string> methods, AuditLog record, TimeProvider time, ILogger log)
    {
        authorizer = Authorizer.Create(shipped, methods, issuance: issuance);
        state = new PolicyState(shipped.Revision, PolicyOrigin.Shipped, time.GetUtcNow(), "");
        if (source.Folder is null) return;
        try
        {
            if (KeptBundle.Read(source.Folder) is not { } kept) return;
            var bundle = PolicyBundle.Load(kept, MaxUnpacked, verification);
            authorizer.Activate(bundle);
            state = new PolicyState(bundle.Revision, PolicyOrigin.Pushed, time.GetUtcNow(), "");
            record.Post(AuditEvents.BundleInForce(bundle.Revision));
        }
        catch (Exception e) when (e is PolicyException or IOException or UnauthorizedAccessException)
        {
            var why = e is PolicyException { Errors: [var first, ..] } ? first.ToString() : e.Message;
            state = state with { KeptError = why };
            log.LogError("the pushed policy bundle is not used, the shipped one is: {Reason}", why);
            record.Post(AuditEvents.BundleRefused("", "", $"{why}; what was pushed earlier is not used, the shipped one is"));
        }
    }

    /// <summary>Everything that can be said against a bundle; nothing changes.</summary>
    /// <exception cref="PolicyException">It is unsigned, malformed, in error, or names not every method.</exception>
    internal PolicyCandidate Check(ReadOnlyMemory<byte> tarGz)
    {
        var bundle = PolicyBundle.Load(tarGz, MaxUnpacked, verification);
        return new PolicyCandidate(bundle, Required.Prepare(bundle), tarGz);
    }

    /// <summary>Puts a checked bundle in force and keeps it; null goes back to the shipped one.</summary>
    /// <returns>The revision that was in force before.</returns>
    /// <exception cref="RefusalException">Another change is under way, or this server keeps no bundle.</exception>
    /// <exception cref="AuditLogException">The change cannot be recorded, so it is not made.</exception>
    /// <exception cref="IOException">The bundle cannot be kept, so it is not put in force.</exception>
    internal async Task<string> ReplaceAsync(PolicyCandidate? candidate, ServedCall call, AuditLog record, TimeProvider time)
    {
        if (source.Folder is not { } folder) throw new RefusalException(RefusalReason.WrongState, "this server keeps no policy bundle but the shipped one");
        if (Interlocked.Exchange(ref changing, 1) == 1) throw new RefusalException(RefusalReason.WrongState, "the policy is being changed by another call");
        try
        {
            var before = state.Revision;
            var rules = candidate?.Rules ?? Required.Prepare(shipped);
            // INVARIANT: the record first, then the disk, then the swap, which cannot fail: no change is in force that is not written down.
            var by = call.Caller.Identity?.Name ?? "";
            await record.AppendAsync(AuditEvents.BundleInForce(rules.Revision, before, by).During(call.OpenedIndex)).ConfigureAwait(false);
            try
            {
                if (candidate is null) KeptBundle.Remove(folder);
                else KeptBundle.Write(folder, candidate.TarGz.Span);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                await record.AppendAsync(
                    AuditEvents.BundleRefused(rules.Revision, by, $"it cannot be kept; {before} stays in force").During(call.OpenedIndex)).ConfigureAwait(false);
                throw;
            }
            Required.Activate(rules);
            state = new PolicyState(rules.Revision, candidate is null ? PolicyOrigin.Shipped : PolicyOrigin.Pushed, time.GetUtcNow(), "");
            return before;
        }
        finally
        {
            Volatile.Write(ref changing, 0);
        }
    }
}

/// <summary>What is in force, since when, and why a kept bundle is not.</summary>
sealed record PolicyState(string Revision, PolicyOrigin Origin, DateTimeOffset Since, string KeptError);

/// <summary>A bundle that may be put in force: signed as configured, compiled, with a rule for every method. Only the check makes one.</summary>
sealed record PolicyCandidate(PolicyBundle Bundle, PreparedRules Rules, ReadOnlyMemory<byte> TarGz);
