using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Audit;
using Talos.Pki;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Authority;

/// <summary>Which authority signs and which are trusted, at one moment. Immutable.</summary>
/// <param name="Trusted">Those whose certificates peers accept, oldest first.</param>
/// <param name="Generation">Of the one that signs.</param>
/// <param name="Intermediates">DER, sent along with what it issues: who trusts only an older root finds the way through them.</param>
/// <param name="BundlePem">What peers are to trust, oldest first; the same text as long as the same authorities are trusted.</param>
/// <param name="BundleDigest">SHA-256 of that text.</param>
sealed record AuthoritySet(
    CertificateAuthority Signing, ImmutableArray<CertificateAuthority> Trusted, long Generation, ImmutableArray<ReadOnlyMemory<byte>> Intermediates, string BundlePem, ReadOnlyMemory<byte> BundleDigest);

/// <summary>
/// Holds the authorities and walks from one to the next. What counts is on the ledger, written in one transaction a step; key files follow
/// it, and what power lost in between left undone is done at the next start. Thread-safe.
/// </summary>
sealed class AuthorityKeeper : IDisposable
{
    // What the ledger calls the way of a certificate that one authority signs for the next.
    const string SuccessorBasis = "rollover";

    readonly AuthorityFiles files;
    readonly string cluster;
    readonly ICertificateLedger ledger;
    readonly AuditLog record;
    readonly RevocationRecord revocations;
    readonly TimeProvider time;
    readonly SemaphoreSlim oneStep = new(1);
    ImmutableDictionary<long, CertificateAuthority> authorities = ImmutableDictionary<long, CertificateAuthority>.Empty;
    volatile AuthoritySet current = null!;
    volatile TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    AuthorityKeeper(AuthorityFiles files, string cluster, ICertificateLedger ledger, AuditLog record, TimeProvider time)
    {
        this.files = files;
        this.cluster = cluster;
        this.ledger = ledger;
        this.record = record;
        revocations = new RevocationRecord(ledger, record);
        this.time = time;
    }

    public AuthoritySet Current => current;

    /// <summary>Completes at the next change after it was read.</summary>
    public Task Changed => changed.Task;

    /// <summary>Opens what the folder and the ledger hold; the first time, makes the authority.</summary>
    /// <exception cref="AuthorityException">A key is missing, open to others, or fits no authority.</exception>
    public static async Task<AuthorityKeeper> OpenAsync(string folder, string cluster, ICertificateLedger ledger, AuditLog record, TimeProvider time, CancellationToken cancellation,
        RevocationListSection? lists = null)
    {
        var keeper = new AuthorityKeeper(new AuthorityFiles(folder, lists), cluster, ledger, record, time);
        try
        {
            var state = ledger.ReadRollover();
            if (state.Authorities.IsEmpty)
            {
                var first = keeper.files.OpenFirst(cluster, time);
                await ledger.AddFirstAuthorityAsync(
                    new LedgerAuthority(1, first.Certificate.Fingerprint, first.Certificate.Der, first.Chain, ReadOnlyMemory<byte>.Empty, AuthorityState.Signing), cancellation);
                if (first.Created)
                    await record.AppendAsync(AuditEvents.RolloverStep("created", "", first.Certificate.Fingerprint, "trustd"), cancellation);
                state = ledger.ReadRollover();
            }
            keeper.files.Settle(state);
            keeper.Use(state);
            await keeper.RecordAsync(state, null, cancellation);
            await keeper.revocations.CatchUpAsync();
            await keeper.RevokeStrayAsync(state, "trustd", null);
            return keeper;
        }
        catch
        {
            keeper.Dispose();
            throw;
        }
    }

    public RolloverState Read() => ledger.ReadRollover();

    /// <summary>Makes one step, durably, and on the record.</summary>
    /// <param name="by">Who asked.</param>
    /// <param name="call">The call that asked; null when there is none.</param>
    /// <exception cref="RefusalException">The step is not possible or not safe now.</exception>
    public async Task<RolloverState> StepAsync(RolloverStep step, bool force, string by, ServedCall? call, CancellationToken cancellation)
    {
        await oneStep.WaitAsync(cancellation);
        try
        {
            // What a step needs to be judged and made is read and written by the ledger in one transaction; here is only what cannot be part of it.
            var digest = current.BundleDigest;
            var added = step == RolloverStep.Prepare && ledger.ReadRollover().Phase == RolloverPhase.Steady ? await MakeNextAsync(by, cancellation) : null;
            // What was signed for the next authority exists, so whoever goes away now leaves the step to be made.
            var state = await ledger.ChangeAuthoritiesAsync(s => Rollover.Decide(s, step, force, by, digest.Span, added), added is null ? cancellation : CancellationToken.None);
            // The ledger has decided: from here on nothing is cancelled.
            Use(state);
            files.Settle(state);
            TellChange();
            await RecordAsync(state, call, CancellationToken.None);
            // Who publishes revocations follows the changes of the authority.
            if (await RevokeStrayAsync(state, by, call)) TellChange();
            return state;
        }
        finally
        {
            oneStep.Release();
        }
    }

    public void Dispose()
    {
        foreach (var authority in authorities.Values) authority.Dispose();
        oneStep.Dispose();
    }

    void TellChange() => Interlocked.Exchange(ref changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    async Task<LedgerAuthority> MakeNextAsync(string by, CancellationToken cancellation)
    {
        var (signing, generation) = (current.Signing, current.Generation);
        if (signing.Certificate.BasicConstraints is { PathLength: 0 })
        {
            throw new RefusalException(RefusalReason.WrongState, "the authority was signed outside the cluster and may not hand over to another one")
            {
                Id = "rollover-outside",
                Hint = "have its successor signed outside too: `trustd init --csr`",
            };
        }
        var root = files.MakeNext(cluster, time);
        ReservedSerial? reserved = null;
        var prepared = await signing.PrepareSuccessorAsync(root, cluster, ReserveAsync, cancellation);
        if (!prepared.Is(out var successor, out var failure)) throw Issuance.Refusals.From(failure);
        var byPrevious = signing.Issue(successor);
        await ledger.RecordIssuedAsync(reserved!, byPrevious.Der, CancellationToken.None);
        var next = ledger.ReadRollover().Authorities.Max(a => a.Generation) + 1;
        return new LedgerAuthority(next, root.Fingerprint, root.Der, "", byPrevious.Der, AuthorityState.Prepared);

        async ValueTask<SerialVerdict> ReserveAsync(SerialRecord serial, CancellationToken stop)
        {
            reserved = await ledger.ReserveAsync(
                new CertificateReservation(
                    serial.Serial, AuthorityFiles.Instance, serial.Grant.Name, [], "", SuccessorBasis, by, SHA256.HashData(root.PublicKey.Der.Span),
                    serial.NotBefore, serial.NotAfter, generation)
                { Issuer = Issuance.Issuer.KeyIdentifier(signing.Certificate) }, stop);
            return reserved is not null ? SerialVerdict.Recorded : SerialVerdict.NotRecorded;
        }
    }

    void Use(RolloverState state)
    {
        var live = state.Authorities.Where(a => a.IsLive).OrderBy(a => a.Generation).ToArray();
        var known = authorities;
        var kept = ImmutableDictionary.CreateBuilder<long, CertificateAuthority>();
        foreach (var authority in live)
            kept[authority.Generation] = known.TryGetValue(authority.Generation, out var open) ? open : files.Open(authority, time);
        authorities = kept.ToImmutable();

        var signing = state.Signing ?? throw new AuthorityException("no authority of the ledger signs", "restore the ledger from a backup");
        var trusted = live.Where(a => a.State is AuthorityState.Trusted or AuthorityState.Signing).ToArray();
        var bundle = string.Concat(trusted.Select(AuthorityFiles.AnchorPem));
        var intermediates = AuthorityFiles.Intermediates(signing);
        // Once the old root is gone, the way over it is of no use to anyone.
        if (!signing.ByPrevious.IsEmpty && live.Length > 1) intermediates = intermediates.Add(signing.ByPrevious);
        current = new AuthoritySet(
            authorities[signing.Generation], [.. trusted.Select(a => authorities[a.Generation])], signing.Generation, intermediates, bundle, SHA256.HashData(Encoding.UTF8.GetBytes(bundle)));
        foreach (var (generation, gone) in known)
            if (!authorities.ContainsKey(generation)) gone.Dispose();
    }

    // A step is on the ledger before it is on the record; one that power kept from the record is put there at the next start.
    async Task RecordAsync(RolloverState state, ServedCall? call, CancellationToken cancellation)
    {
        foreach (var step in state.Events.Where(e => !e.OnRecord).Reverse())
        {
            var incoming = state.Authorities.FirstOrDefault();
            var outgoing = state.Authorities.Skip(1).FirstOrDefault();
            var entry = AuditEvents.RolloverStep(Rollover.Name(step.Step), outgoing?.Fingerprint ?? "", incoming?.Fingerprint ?? "", step.By).During(call?.OpenedIndex);
            entry.Details["phase"] = Rollover.Name(step.Phase);
            if (step.Forced) entry.Details["forced"] = "true";
            await record.AppendAsync(entry, cancellation);
            await ledger.MarkRolloverRecordedAsync(step.Sequence, cancellation);
        }
    }

    /// <summary>Takes back what was signed for an authority that was given up, or that power kept from coming into being.</summary>
    async Task<bool> RevokeStrayAsync(RolloverState state, string by, ServedCall? call)
    {
        const string Reason = "the authority that it was for was given up";
        var wanted = state.Authorities.Where(a => a.State != AuthorityState.Withdrawn && !a.ByPrevious.IsEmpty).Select(a => Certificate.Parse(a.ByPrevious.Span).Require().Serial).ToHashSet();
        var now = time.GetUtcNow();
        // By the name that every root of the cluster has, which the ledger finds without looking through all it holds.
        var stray = ledger.ListCertificates(new CertificateFilter(Name: $"{cluster}-os-root"), int.MaxValue)
            .Where(c => c.Basis == SuccessorBasis && c.Revoked is null && c.NotAfter > now && !wanted.Contains(c.Serial)).ToArray();
        foreach (var certificate in stray)
            await revocations.RecordAsync(await ledger.RevokeAsync(new CertificateFilter(certificate.Serial), by, Reason, CancellationToken.None), by, Reason, call);
        return stray.Length > 0;
    }
}
