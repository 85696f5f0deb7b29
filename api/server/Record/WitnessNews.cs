using System.Security.Cryptography;
using System.Text;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>Puts on this node's record what it found out about another's.</summary>
static class WitnessNews
{
    // LIMIT: notes of ours take less; a longer one, which only someone with something to hide makes, must not keep the entry off the
    // record.
    const int MaxEvidence = 4096;

    public static async Task RecordAsync(AuditLog record, AuditWitness witness, NoteVerifierKey log, WitnessAnswer answer, CancellationToken cancellation)
    {
        if (!answer.IsNews) return;
        var entry = answer switch
        {
            { FormerKey: { } former } => Found("key-changed", $"the record of {log.Name} was made anew: it is signed by another key than {former}"),
            { Verdict: WitnessVerdict.RolledBack } => Found("rolled-back", $"the record of {log.Name} is shorter than the {answer.KnownSize} entries that it had"),
            _ => Found("forked", $"the record of {log.Name} contradicts the {answer.KnownSize} entries that it showed before"),
        };
        if (answer.Evidence.Length is > 0 and <= MaxEvidence) entry.Details["evidence"] = answer.Evidence;
        else if (answer.Evidence.Length > 0)
            entry.Details["evidence_sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(answer.Evidence)));
        await record.AppendAsync(entry, cancellation).ConfigureAwait(false);

        Entry Found(string verdict, string sentence) => AuditEvents.WitnessRefused(
            log.Name, witness.Key.Name, verdict, answer.KnownSize, sentence);
    }
}
