using System.Globalization;

namespace Talos.Benchmarks;

/// <summary>What trustd has to hold.</summary>
static class TrustdBench
{
    public static async Task<int> Run(string[] arguments)
    {
        var size = arguments is [_, var text] ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        var part = arguments is [var name, ..] ? name : "";
        var result = 0;
        if (part is "" or "issue") result |= await IssueBench.Run(size == 0 ? 10 : size);
        if (part is "" or "ledger") result |= await LedgerBench.Run(size == 0 ? 1_000_000 : size);
        if (part is "" or "rollover") result |= RolloverBench.Run(size == 0 ? 1000 : size);
        return result;
    }
}
