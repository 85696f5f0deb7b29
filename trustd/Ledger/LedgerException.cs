namespace Talos.Trustd.Ledger;

/// <summary>The ledger could not be read or written. What depended on the write did not happen.</summary>
sealed class LedgerException(string sentence, string hint, Exception? cause = null) : Exception(sentence, cause)
{
    public string Hint { get; } = hint;
}
