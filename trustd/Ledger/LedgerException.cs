using Talos.Api.Server;

namespace Talos.Trustd.Ledger;

/// <summary>
/// The ledger could not be read or written. What depended on the write did not happen, and whoever asked for it is told so, whatever they called.
/// </summary>
sealed class LedgerException : RefusalException
{
    public LedgerException(string sentence, string hint, Exception? cause = null)
        : base(RefusalReason.BackendUnavailable, sentence, cause) => (Id, Hint) = ("ledger-unavailable", hint);
}
