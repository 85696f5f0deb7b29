using System.Collections.Immutable;
using System.Globalization;
using Talos.Api.Server;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Authority;

/// <summary>How far the change has reached one holder, and whether the step in question waits for it.</summary>
/// <param name="Until">When the holder's last certificate of an authority that does not sign ends; null when there is none.</param>
sealed record HolderStanding(AuthorityHolder Holder, bool Trusts, bool Renewed, DateTimeOffset? Until, bool Blocks);

/// <summary>What is safe now.</summary>
sealed record RolloverOutlook(RolloverStep Next, bool IsSafe, bool IsBackSafe, string Advice, ImmutableArray<HolderStanding> Holders);

/// <summary>
/// The rules of a change of the authority, over what the ledger says and nothing else. A step is safe when no handshake can fail because
/// of it: before the new authority signs, every node trusts it; before the old one goes, nobody shows a certificate of it any more.
/// </summary>
static class Rollover
{
    /// <summary>The step that follows a phase.</summary>
    public static RolloverStep After(RolloverPhase phase) => phase switch
    {
        RolloverPhase.Steady => RolloverStep.Prepare,
        RolloverPhase.Prepared => RolloverStep.Distribute,
        RolloverPhase.Distributing => RolloverStep.Activate,
        RolloverPhase.Activated => RolloverStep.Retire,
    };

    public static RolloverOutlook Look(RolloverState state, ReadOnlySpan<byte> bundleDigest)
    {
        var holders = ImmutableArray.CreateBuilder<HolderStanding>(state.Holders.Length);
        foreach (var holder in state.Holders) holders.Add(Stand(state, holder, bundleDigest));
        var standing = holders.MoveToImmutable();
        var waiting = standing.Where(s => s.Blocks).ToArray();
        var isBackSafe = state.Phase switch
        {
            RolloverPhase.Steady => false,
            RolloverPhase.Prepared or RolloverPhase.Activated => true,
            // What the next authority signed must be out of use before nobody trusts it.
            RolloverPhase.Distributing => !state.Holders.Any(h => h.ReliesOn(state.Next!.Generation, state.Current!.Generation)),
        };
        return new RolloverOutlook(After(state.Phase), waiting.Length == 0, isBackSafe, Advise(state.Phase, waiting), standing);
    }

    /// <summary>What a step changes; null when it was made already.</summary>
    /// <param name="added">The next authority; only for <see cref="RolloverStep.Prepare"/>.</param>
    /// <exception cref="RefusalException">The step does not fit the phase, or is not safe yet and not forced.</exception>
    public static RolloverChange? Decide(RolloverState state, RolloverStep step, bool force, string by, ReadOnlySpan<byte> bundleDigest, LedgerAuthority? added)
    {
        if (step == RolloverStep.Back) return Undo(state, by, bundleDigest);
        if (!state.Events.IsEmpty && state.Events[0].Step == step) return null;
        if (step != After(state.Phase))
        {
            throw new RefusalException(RefusalReason.WrongState, $"the step `{Name(step)}` does not follow the phase `{Name(state.Phase)}`")
            {
                Id = "rollover-wrong-step",
                Hint = $"next is `{Name(After(state.Phase))}`; `osctl ca status` tells where the change stands",
            };
        }
        var outlook = Look(state, bundleDigest);
        if (!outlook.IsSafe && !force)
        {
            throw new RefusalException(RefusalReason.WrongState, $"`{Name(step)}` is not safe yet: {outlook.Advice}")
            {
                Id = "rollover-not-safe",
                Hint = "`osctl ca status` names who is waited for; a machine that is gone: `osctl cert revoke --name NAME`",
            };
        }
        var forced = force && !outlook.IsSafe;
        return step switch
        {
            RolloverStep.Prepare => Change(step, RolloverPhase.Prepared, added: added),
            RolloverStep.Distribute => Change(step, RolloverPhase.Distributing, (state.Next!, AuthorityState.Trusted)),
            RolloverStep.Activate => Change(step, RolloverPhase.Activated, (state.Current!, AuthorityState.Trusted), (state.Next!, AuthorityState.Signing)),
            RolloverStep.Retire => Change(step, RolloverPhase.Steady, (state.Current!, AuthorityState.Retired)),
            RolloverStep.Back or RolloverStep.Replace or RolloverStep.None => throw new ArgumentOutOfRangeException(nameof(step), step, null),
        };

        RolloverChange Change(RolloverStep made, RolloverPhase phase, (LedgerAuthority Of, AuthorityState To) first = default, (LedgerAuthority Of, AuthorityState To) second = default, LedgerAuthority? added = null)
        {
            var states = ImmutableSortedDictionary<long, AuthorityState>.Empty;
            if (first.Of is not null) states = states.Add(first.Of.Generation, first.To);
            if (second.Of is not null) states = states.Add(second.Of.Generation, second.To);
            return new RolloverChange(made, phase, by, forced, added, states);
        }
    }

    public static string Name(RolloverStep step) => step.ToString().ToLowerInvariant();

    public static string Name(RolloverPhase phase) => phase.ToString().ToLowerInvariant();

    static RolloverChange Undo(RolloverState state, string by, ReadOnlySpan<byte> bundleDigest)
    {
        if (state.Phase == RolloverPhase.Steady)
            throw new RefusalException(RefusalReason.WrongState, "there is no step to undo; what was retired is gone") { Id = "rollover-wrong-step", Hint = "`osctl ca rotate` begins a new change" };
        if (!Look(state, bundleDigest).IsBackSafe)
        {
            throw new RefusalException(RefusalReason.WrongState, "certificates of the next authority are still in use")
            {
                Id = "rollover-not-safe",
                Hint = "nodes renew within a minute; people's certificates end by themselves, or `osctl cert revoke --name NAME`",
            };
        }
        var states = ImmutableSortedDictionary<long, AuthorityState>.Empty;
        var (phase, changed) = state.Phase switch
        {
            RolloverPhase.Activated => (RolloverPhase.Distributing, states.Add(state.Current!.Generation, AuthorityState.Signing).Add(state.Next!.Generation, AuthorityState.Trusted)),
            RolloverPhase.Distributing => (RolloverPhase.Prepared, states.Add(state.Next!.Generation, AuthorityState.Prepared)),
            _ => (RolloverPhase.Steady, states.Add(state.Next!.Generation, AuthorityState.Withdrawn)),
        };
        return new RolloverChange(RolloverStep.Back, phase, by, Forced: false, null, changed);
    }

    static HolderStanding Stand(RolloverState state, AuthorityHolder holder, ReadOnlySpan<byte> bundleDigest)
    {
        var signing = state.Signing!.Generation;
        var trusts = holder.BundleDigest.Span.SequenceEqual(bundleDigest);
        var others = holder.Held.Where(h => h.Key != signing).ToArray();
        var renewed = holder.Held.ContainsKey(signing) && !others.Any(h => holder.ReliesOn(h.Key, signing));
        var blocks = state.Phase switch
        {
            RolloverPhase.Steady or RolloverPhase.Prepared => false,
            RolloverPhase.Distributing => holder.Answers && !trusts,
            RolloverPhase.Activated => holder.ReliesOn(state.Current!.Generation, state.Next!.Generation),
        };
        return new HolderStanding(holder, trusts, renewed, others.Length == 0 ? null : others.Max(h => h.Value.Until), blocks);
    }

    static string Advise(RolloverPhase phase, HolderStanding[] waiting)
    {
        if (waiting.Length == 0)
        {
            return phase switch
            {
                RolloverPhase.Steady => "no change is under way; `osctl ca rotate` begins one",
                RolloverPhase.Prepared => "the next authority is ready to be distributed",
                RolloverPhase.Distributing => "every node trusts both authorities; the next one may sign",
                RolloverPhase.Activated => "nobody shows a certificate of the old authority; it may be retired",
            };
        }
        var names = string.Join(", ", waiting.Take(3).Select(w => Say(w.Holder.Spiffe)));
        var more = waiting.Length > 3 ? string.Create(CultureInfo.InvariantCulture, $" and {waiting.Length - 3} more") : "";
        if (phase == RolloverPhase.Distributing) return $"the next authority is not yet said to be trusted by {names}{more}";
        var last = waiting.Max(w => w.Until);
        return string.Create(CultureInfo.InvariantCulture, $"{names}{more} may still show a certificate of the old authority, until {last:yyyy-MM-dd HH:mm:ss}Z at the latest");
    }

    // spiffe://CLUSTER/KIND/NAME: a control plane and the trustd on it have one name.
    static string Say(string spiffe) => spiffe.Split('/') is [.., "trustd", var name] ? $"trustd on `{name}`" : $"`{spiffe[(spiffe.LastIndexOf('/') + 1)..]}`";
}
