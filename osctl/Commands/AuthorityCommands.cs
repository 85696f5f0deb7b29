using System.CommandLine;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

/// <summary>The change from one certificate authority to the next.</summary>
static class AuthorityCommands
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    static readonly Option<string> Step = new("--step") { Description = "Make this one step: prepare, distribute, activate, retire, or back to undo the last one", HelpName = "STEP" };

    static readonly Option<bool> Retire = new("--retire") { Description = "Walk to the end: the old authority's key is destroyed, which cannot be undone" };

    static readonly Option<bool> Force = new("--force") { Description = "With --step: activate or retire now, and cut off who is not ready; for a key that others know" };

    static readonly DurationOption Wait = new("--wait", "How long to wait for nodes in one step", "2m");

    public static Verb Build() => new("ca", "See and change the certificate authority")
    {
        Subcommands = { Status(), Rotate() },
    };

    static Verb Status() => new("status", "Show where a change of the authority stands, whom it has reached, and what is safe next", "osctl ca status", "osctl ca status -o json")
    {
        Run = async invocation =>
        {
            var answer = Follow(invocation, await invocation.AskTrustdAsync((trust, options) => trust.AuthorityStatusAsync(new AuthorityStatusRequest(), options)));
            Print(invocation, answer);
            return ExitCode.Done;
        },
    };

    static Verb Rotate() => new("rotate", "Walk to the next authority: prepare, distribute, activate; nodes and people notice nothing. Begins where an earlier walk ended",
        "osctl ca rotate", "osctl ca rotate --retire", "osctl ca rotate --step back")
    {
        Options = { Step, Retire, Force, Wait },
        Run = invocation => invocation.IsGiven(Step) ? OneStepAsync(invocation) : WalkAsync(invocation),
    };

    static async Task<int> OneStepAsync(Invocation invocation)
    {
        var step = invocation.Get(Step) switch
        {
            "prepare" => AuthorityStep.Prepare,
            "distribute" => AuthorityStep.Distribute,
            "activate" => AuthorityStep.Activate,
            "retire" => AuthorityStep.Retire,
            "back" => AuthorityStep.Back,
            var other => throw new OsctlException($"`{other}` is no step", "prepare, distribute, activate, retire or back"),
        };
        Print(invocation, await MakeAsync(invocation, step, invocation.Get(Force)));
        return ExitCode.Done;
    }

    static async Task<int> WalkAsync(Invocation invocation)
    {
        if (invocation.Get(Force)) throw new OsctlException("`--force` needs the step that it is for", "for instance `osctl ca rotate --step retire --force`");
        var status = await AskAsync(invocation);
        while (true)
        {
            if (status.Next == AuthorityStep.Retire && !invocation.Get(Retire))
            {
                Say(invocation, $"the new authority signs; {status.Advice}");
                Say(invocation, "`osctl ca rotate --retire` ends the change, `osctl ca rotate --step back` undoes the last step");
                break;
            }
            if (!status.Safe) status = await AwaitAsync(invocation, status);
            if (!status.Safe)
            {
                Print(invocation, status);
                throw new OsctlException(status.Advice, Remedy(status), ExitCode.NodeFailed);
            }
            var step = status.Next;
            status = await MakeAsync(invocation, step, force: false);
            Say(invocation, $"{Word(step)}: done");
            if (step == AuthorityStep.Retire) break;
            // The same step again: what it started is under way, and asking faster does not hasten it.
            if (status.Next == step) await Task.Delay(Pause, invocation.Terminal.Time, invocation.Cancellation);
        }
        if (invocation.IsTree) TreeWriter.Write(invocation.Output, MessageTree.From(status), invocation.Format);
        return ExitCode.Done;
    }

    // Machines answer within seconds; a person's certificate ends when it ends, and nobody waits for that here.
    static async Task<AuthorityStatusResponse> AwaitAsync(Invocation invocation, AuthorityStatusResponse status)
    {
        Say(invocation, $"{Word(status.Next)}: waiting: {status.Advice}");
        var began = invocation.Terminal.Time.GetTimestamp();
        while (!status.Safe && status.Holders.Any(h => h.Blocks && !IsPerson(h)) && invocation.Terminal.Time.GetElapsedTime(began) < invocation.Get(Wait))
        {
            await Task.Delay(Pause, invocation.Terminal.Time, invocation.Cancellation);
            var before = status.Advice;
            status = await AskAsync(invocation);
            if (!status.Safe && status.Advice != before) Say(invocation, $"{Word(status.Next)}: waiting: {status.Advice}");
        }
        return status;
    }

    static string Remedy(AuthorityStatusResponse status)
    {
        var blocking = status.Holders.Where(h => h.Blocks).ToArray();
        var machine = blocking.Any(h => !IsPerson(h)) ? "; a machine that is gone: `osctl cert revoke --name NAME`" : "";
        var person = blocking.Any(IsPerson)
            ? "; a person's certificate ends by itself, or after `osctl config renew` the one before can be revoked: `osctl cert revoke SERIAL`" : "";
        return $"nothing is lost by waiting: the same command goes on from here{machine}{person}";
    }

    static async Task<AuthorityStatusResponse> AskAsync(Invocation invocation) =>
        Follow(invocation, await invocation.AskTrustdAsync((trust, options) => trust.AuthorityStatusAsync(new AuthorityStatusRequest(), options)));

    static async Task<AuthorityStatusResponse> MakeAsync(Invocation invocation, AuthorityStep step, bool force) =>
        Follow(invocation, await invocation.AskTrustdAsync((trust, options) => trust.AuthorityRotateAsync(new AuthorityRotateRequest { Step = step, Force = force }, options)));

    /// <summary>The context trusts what trustd says to trust, as nodes do: the answer came over a connection that the trust of before accepted.</summary>
    static AuthorityStatusResponse Follow(Invocation invocation, AuthorityStatusResponse status)
    {
        var context = invocation.Context();
        if (status.BundlePem.Length == 0 || context.CaPem?.Trim() == status.BundlePem.Trim()) return status;
        invocation.File.Save(invocation.File.With(invocation.ContextName, context with { CaPem = status.BundlePem }, makeCurrent: false));
        return status;
    }

    static void Print(Invocation invocation, AuthorityStatusResponse status)
    {
        if (invocation.IsTree)
        {
            TreeWriter.Write(invocation.Output, MessageTree.From(status), invocation.Format);
            return;
        }
        var authorities = invocation.Table("AUTHORITY", "STATE", "HOLDERS", "NOT AFTER", "+FINGERPRINT");
        foreach (var authority in status.Authorities)
            authorities.Add(authority.Subject, authority.State, Text.Number(authority.Holders), Text.Second(authority.NotAfter), authority.Fingerprint);
        authorities.Write(invocation.Output);
        // Before the next authority is handed out nobody can trust it, and nobody is waited for.
        if (status.Phase is AuthorityPhase.Distributing or AuthorityPhase.Activated)
        {
            invocation.Output.WriteLine();
            // Of the authority that does not sign: the next one's after a step back, otherwise the old one's.
            var until = status.Phase == AuthorityPhase.Activated ? "OLD UNTIL" : "NEXT UNTIL";
            var holders = invocation.Table("HOLDER", "TRUSTS BOTH", "RENEWED", until, "WAITED FOR");
            foreach (var holder in status.Holders)
            {
                var (renewed, ends) = holder.Until is null ? ("-", "-") : (Mark(holder.Renewed), Text.Second(holder.Until));
                holders.Add(holder.Identity, IsPerson(holder) ? "-" : Mark(holder.Trusts), renewed, ends, Mark(holder.Blocks));
            }
            holders.Write(invocation.Output);
        }
        invocation.Output.WriteLine();
        var back = status.BackSafe ? "safe"
            : status.Phase == AuthorityPhase.Steady ? "nothing to undo" : "not safe yet, certificates of the next authority are in use";
        invocation.Output.WriteLine($"phase: {Word(status.Phase)}; next: {Word(status.Next)}, {(status.Safe ? "safe" : "not safe yet")}; back: {back}");
        invocation.Output.WriteLine(status.Advice);
    }

    static void Say(Invocation invocation, string line) => (invocation.IsTree ? invocation.Terminal.Error : invocation.Output).WriteLine(line);

    static bool IsPerson(AuthorityHolder holder) => holder.Identity.Contains("/user/", StringComparison.Ordinal);

    static string Mark(bool value) => value ? "yes" : "no";

    static string Word<T>(T value) where T : struct, Enum => Text.Word(value).ToLowerInvariant();
}
