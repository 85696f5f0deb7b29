using System.Globalization;

namespace Talos.Audit;

/// <summary>
/// Entries for what a system does or finds without being called. The names of their details are part of what readers rely on: exports and
/// filters use them, so they are spelled here and nowhere else. None of the values may be a secret. Values are cut at 512 characters.
/// </summary>
public static class AuditEvents
{
    // LIMIT: an entry stays readable, and below what the log accepts.
    const int MaxValue = 512;

    /// <summary>A compliance check has another verdict than before.</summary>
    /// <param name="standard">The catalogue, `kspp`.</param>
    /// <param name="check">Id of the check, stable across releases.</param>
    /// <param name="before">The verdict until now, `pass`; empty when there was none.</param>
    /// <param name="verdict">The verdict from now on, `fail`.</param>
    /// <param name="finding">What was found, one sentence.</param>
    public static Entry ComplianceChanged(string standard, string check, string before, string verdict, string finding) =>
        Make(EntryKind.Compliance, $"{check}: {(before.Length == 0 ? "" : $"was {before}, ")}is {verdict}",
            ("standard", standard), ("check", check), ("before", before), ("verdict", verdict), ("finding", finding));

    /// <summary>A watched fact of the node is not as it was when the node had started, or is so again.</summary>
    /// <param name="kind">`sysctl`, `mount`, `module`, `mode`, `port`.</param>
    /// <param name="subject">Which one, `kernel.sysrq`.</param>
    /// <param name="before">The value until now; empty when there was none.</param>
    /// <param name="after">The value from now on; empty when there is none.</param>
    /// <param name="returned">Whether the fact is again as it was at the start.</param>
    /// <param name="checks">Ids of the checks that ask for the fact.</param>
    /// <param name="sentence">The change in one sentence.</param>
    public static Entry Drifted(
        string kind, string subject, string before, string after, bool returned, IEnumerable<string> checks, string sentence) =>
        Make(
            EntryKind.Compliance, sentence, ("event", returned ? "returned" : "drifted"), ("fact", kind), ("subject", subject),
            ("before", before), ("after", after), ("checks", string.Join(' ', checks)));

    /// <summary>A step of a CA rollover was taken.</summary>
    /// <param name="step">The step, `introduced`, `activated`, `retired`.</param>
    /// <param name="outgoing">Fingerprint of the CA that goes; may be empty.</param>
    /// <param name="incoming">Fingerprint of the CA that comes; may be empty.</param>
    /// <param name="by">Who asked for it.</param>
    public static Entry RolloverStep(string step, string outgoing, string incoming, string by) =>
        Make(EntryKind.Rollover, $"CA rollover: {step}", ("step", step), ("outgoing", outgoing), ("incoming", incoming), ("by", by));

    /// <summary>A certificate was taken back.</summary>
    /// <param name="serial">Its serial number.</param>
    /// <param name="reason">Why; empty when nobody said.</param>
    public static Entry CertificateRevoked(string serial, string reason) =>
        Make(EntryKind.CertificateRevoked, $"revoked {serial}", ("serial", serial), ("reason", reason));

    /// <summary>A policy bundle is in force from now on.</summary>
    /// <param name="revision">Its revision.</param>
    /// <param name="before">Revision of the one that it replaces; empty at start.</param>
    /// <param name="by">Who put it in force; empty when it came with the system.</param>
    public static Entry BundleInForce(string revision, string before = "", string by = "") =>
        Make(
            EntryKind.Bundle, $"policy {revision} is in force",
            ("event", "in-force"), ("revision", revision), ("before", before), ("by", by));

    /// <summary>A policy bundle was refused; the one before stays in force.</summary>
    /// <param name="revision">Its revision; empty when it could not be told.</param>
    /// <param name="by">Who brought it; empty when it lay there from before.</param>
    /// <param name="reason">Why, one sentence.</param>
    public static Entry BundleRefused(string revision, string by, string reason) =>
        Make(
            EntryKind.Bundle, $"{(revision.Length == 0 ? "a policy" : $"policy {revision}")} was refused: {reason}",
            ("event", "refused"), ("revision", revision), ("by", by), ("reason", reason));

    /// <summary>A machine was let in, or not.</summary>
    /// <param name="name">The name that it asked for; empty when it came to no name.</param>
    /// <param name="admitted">Whether it got a certificate.</param>
    /// <param name="basis">What it showed: the id of a token.</param>
    /// <param name="source">Address that it came from.</param>
    /// <param name="reason">Why it was not let in; empty when it was.</param>
    public static Entry Enrollment(string name, bool admitted, string basis, string source, string reason = "") =>
        Make(
            EntryKind.Enrollment,
            admitted ? $"{name} was enrolled" : $"{(name.Length == 0 ? "a machine" : name)} was not enrolled: {reason}",
            ("name", name), ("event", admitted ? "admitted" : "refused"), ("basis", basis), ("source", source), ("reason", reason));

    /// <summary>The machine, or with processes on a foreign machine the service, was started.</summary>
    /// <param name="release">The release of the system.</param>
    /// <param name="kernel">The kernel's release.</param>
    public static Entry Boot(string release, string kernel) =>
        Make(EntryKind.Boot, $"{release} booted on {kernel}", ("release", release), ("kernel", kernel));

    /// <summary>The record ends in order: its service was told to stop.</summary>
    public static Entry Shutdown() => Make(EntryKind.Shutdown, "the service stops in order");

    /// <summary>Another release runs than at the boot before.</summary>
    public static Entry Upgrade(string from, string to) =>
        Make(EntryKind.Upgrade, $"{to} runs in place of {from}", ("from", from), ("to", to));

    /// <summary>A service started, stopped or failed.</summary>
    public static Entry ServiceChanged(string service, string state, string message) =>
        Make(EntryKind.Service, $"{service}: {message}", ("service", service), ("state", state));

    /// <summary>A witness refused a checkpoint of this log, or this node refused one of another's.</summary>
    /// <param name="log">Origin of the log.</param>
    /// <param name="witness">Name of the witness.</param>
    /// <param name="verdict">What the witness said, `forked`.</param>
    /// <param name="size">Size of the checkpoint that was refused.</param>
    /// <param name="message">One sentence.</param>
    public static Entry WitnessRefused(string log, string witness, string verdict, ulong size, string message) =>
        Make(
            EntryKind.Witness, message,
            ("log", log), ("witness", witness), ("verdict", verdict), ("size", size.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Names the call that brought the event about by the index of its opening entry, when that is known.</summary>
    public static Entry During(this Entry entry, ulong? openedIndex)
    {
        if (openedIndex is { } index) entry.Details["call"] = index.ToString(CultureInfo.InvariantCulture);
        return entry;
    }

    static Entry Make(EntryKind kind, string message, params ReadOnlySpan<(string Name, string Value)> details)
    {
        Entry entry = new() { Kind = kind, Message = Cut(message) };
        foreach ((string name, string value) in details)
            if (value.Length != 0) entry.Details[name] = Cut(value);
        return entry;
    }

    // Never between the halves of a surrogate pair, which would be no UTF-8.
    static string Cut(string text) =>
        text.Length <= MaxValue ? text : text[..(char.IsHighSurrogate(text[MaxValue - 1]) ? MaxValue - 1 : MaxValue)];
}
