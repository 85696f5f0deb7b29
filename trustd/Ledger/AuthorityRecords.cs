using System.Collections.Immutable;

namespace Talos.Trustd.Ledger;

/// <summary>What one authority is to the cluster. Stored as numbers; zero is trusted by nobody.</summary>
enum AuthorityState
{
    Unknown = 0,
    /// <summary>Has a key and a certificate, and no one trusts it yet.</summary>
    Prepared = 1,
    /// <summary>Trusted, and does not sign.</summary>
    Trusted = 2,
    /// <summary>Trusted, and signs everything that is issued now.</summary>
    Signing = 3,
    /// <summary>Not trusted any more; its key is destroyed.</summary>
    Retired = 4,
    /// <summary>Was prepared and given up; its key is destroyed.</summary>
    Withdrawn = 5,
}

/// <summary>One authority of the cluster, from the first on.</summary>
/// <param name="Generation">Counts from 1; every certificate on the ledger names the generation that signed it.</param>
/// <param name="Certificate">DER.</param>
/// <param name="Chain">PEM of what leads from it to a root kept elsewhere, that root last; empty for a root.</param>
/// <param name="ByPrevious">DER of the same name and key, signed by the generation before; empty for the first.</param>
sealed record LedgerAuthority(
    long Generation, string Fingerprint, ReadOnlyMemory<byte> Certificate, string Chain, ReadOnlyMemory<byte> ByPrevious, AuthorityState State)
{
    /// <summary>Whether its key is still needed.</summary>
    public bool IsLive => State is AuthorityState.Prepared or AuthorityState.Trusted or AuthorityState.Signing;
}

/// <summary>Where a change of the authority stands.</summary>
enum RolloverPhase
{
    Steady = 0,
    Prepared = 1,
    Distributing = 2,
    Activated = 3,
}

/// <summary>A step of the change. Zero is none.</summary>
enum RolloverStep
{
    None = 0,
    Prepare = 1,
    Distribute = 2,
    Activate = 3,
    Retire = 4,
    Back = 5,
    /// <summary>Another authority under the same root took over while trustd was stopped.</summary>
    Replace = 6,
}

/// <summary>A step that was made. <paramref name="OnRecord"/> turns true once the audit log holds it.</summary>
sealed record RolloverEvent(long Sequence, RolloverStep Step, RolloverPhase Phase, DateTimeOffset At, string By, bool Forced, bool OnRecord);

/// <summary>The valid certificates that one authority signed for one identity.</summary>
/// <param name="Until">When the last of them ends.</param>
/// <param name="Newest">Where the newest of them stands in the order of issue.</param>
sealed record HeldCertificates(DateTimeOffset Until, long Newest);

/// <summary>An identity with certificates that are valid now.</summary>
/// <param name="Held">By the generation that signed them.</param>
/// <param name="BundleDigest">The bundle that it last said to trust; empty when it never did.</param>
/// <param name="ShownGeneration">The generation that signed the certificate with which it said so; 0 when it never did.</param>
/// <param name="Shown">Where that certificate stands in the order of issue.</param>
sealed record AuthorityHolder(
    string Spiffe, ImmutableSortedDictionary<long, HeldCertificates> Held, ReadOnlyMemory<byte> BundleDigest, long ShownGeneration, long Shown)
{
    /// <summary>Nodes and trustd say what they trust; people come and go.</summary>
    public bool Answers => !Spiffe.Contains("/user/", StringComparison.Ordinal);

    /// <summary>
    /// Whether it may still show a certificate of <paramref name="goes"/>. A node shows one certificate and says which: it is done when that is one of
    /// <paramref name="stays"/> and newer than all of the other. Of a person nobody knows which of several is in use, so each counts.
    /// </summary>
    public bool ReliesOn(long goes, long stays) =>
        Held.TryGetValue(goes, out var held) && !(Answers && ShownGeneration == stays && Shown > held.Newest);
}

/// <summary>Everything a decision about the authority rests on, read in one transaction.</summary>
sealed record RolloverState(
    RolloverPhase Phase, ImmutableArray<LedgerAuthority> Authorities, ImmutableArray<AuthorityHolder> Holders, ImmutableArray<RolloverEvent> Events)
{
    public LedgerAuthority? Signing => Authorities.SingleOrDefault(a => a.State == AuthorityState.Signing);

    /// <summary>The newer one of two live authorities.</summary>
    public LedgerAuthority? Next => Authorities.Where(a => a.IsLive).OrderBy(a => a.Generation).Skip(1).SingleOrDefault();

    /// <summary>The older one of two live authorities, or the only one.</summary>
    public LedgerAuthority? Current => Authorities.Where(a => a.IsLive).MinBy(a => a.Generation);
}

/// <summary>What one step changes; written in one transaction together with the decision's reading.</summary>
/// <param name="Added">A new authority, or null.</param>
/// <param name="States">New states by generation.</param>
sealed record RolloverChange(
    RolloverStep Step, RolloverPhase Phase, string By, bool Forced, LedgerAuthority? Added, ImmutableSortedDictionary<long, AuthorityState> States);
