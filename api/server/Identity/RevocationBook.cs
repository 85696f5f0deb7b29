using System.Security.Cryptography;
using Talos.Pki;

namespace Talos.Api.Server;

/// <summary>
/// The newest signed revocation lists of every authority, in memory and in a folder, so that a server that starts while no trustd answers knows
/// what it knew before. An older list never takes a newer one's place. Not thread-safe: one reader of one stream keeps it.
/// </summary>
sealed class RevocationBook(string? folder)
{
    // LIMIT: authorities and shards of one cluster; more would be a server that invents them.
    const int MaxScopes = 8192;

    readonly SortedDictionary<string, Page> pages = new(StringComparer.Ordinal);

    /// <summary>Every serial that a list names.</summary>
    public IEnumerable<string> Serials => pages.Values.SelectMany(p => p.Serials);

    public bool IsEmpty => pages.Count == 0;

    /// <summary>The oldest of the newest: for that moment all of them together are known.</summary>
    public DateTimeOffset AsOf => pages.Values.Min(p => p.Newest.ThisUpdate);

    /// <summary>Reads what the folder holds; what is damaged or no longer trusted is named and left out.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public IReadOnlyList<string> Load(TrustStore roots, IReadOnlyList<ReadOnlyMemory<byte>> helpers, DateTimeOffset now)
    {
        var faults = new List<string>();
        if (folder is null || !Directory.Exists(folder)) return faults;
        // Complete lists first: a delta without its base says nothing.
        foreach (var file in Directory.EnumerateFiles(folder, "*.crl").OrderBy(f => f.EndsWith(".delta.crl", StringComparison.Ordinal)).Take(2 * MaxScopes))
            if (Put(File.ReadAllBytes(file), roots, helpers, now, keep: false) is { } fault) faults.Add($"`{file}`: {fault}");
        return faults;
    }

    /// <summary>Takes a list, if it is signed by an authority that is trusted and newer than the one at hand.</summary>
    /// <returns>Why it was not believed; null when it was, or was older.</returns>
    /// <exception cref="IOException">It cannot be kept.</exception>
    public string? Put(byte[] der, TrustStore roots, IReadOnlyList<ReadOnlyMemory<byte>> helpers, DateTimeOffset now, bool keep = true)
    {
        if (!VerifiedRevocationList.Verify(der, roots, helpers, now).Is(out var verified, out var failure)) return failure.ToString();
        var (list, scope) = (verified.List, verified.Scope);
        var page = pages.GetValueOrDefault(scope);
        if (list.DeltaBase is null)
        {
            if (page is not null && list.Number < page.Complete.Number) return null;
            if (page is null && pages.Count >= MaxScopes) return $"there are more than {MaxScopes} lists";
            // RFC 5280 §5.2.4: a delta adds to any complete list from its base on.
            pages[scope] = new Page(list, page?.Delta is { } delta && delta.DeltaBase <= list.Number && list.Number <= delta.Number ? delta : null);
        }
        else
        {
            if (page is null || list.DeltaBase > page.Complete.Number) return $"the list of {list.Issuer} adds to one that is not here";
            if (list.Number < page.Newest.Number) return null;
            pages[scope] = page with { Delta = list };
        }
        if (keep && folder is not null) Keep(scope, list);
        return null;
    }

    /// <summary>Forgets lists whose authority is not trusted any more: none of its certificates is either.</summary>
    public void Trust(TrustStore roots, IReadOnlyList<ReadOnlyMemory<byte>> helpers, DateTimeOffset now)
    {
        foreach (var (scope, page) in pages.ToArray())
            if (!VerifiedRevocationList.Verify(page.Complete.Der.Span, roots, helpers, now).Is(out _, out _)) pages.Remove(scope);
    }

    void Keep(string scope, CertificateRevocationList list)
    {
        Directory.CreateDirectory(folder!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var name = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(scope)))[..32];
        DurableFile.Write(Path.Combine(folder!, list.DeltaBase is null ? $"{name}.crl" : $"{name}.delta.crl"), list.ToPem());
    }

    sealed record Page(CertificateRevocationList Complete, CertificateRevocationList? Delta)
    {
        public CertificateRevocationList Newest => Delta ?? Complete;

        public IEnumerable<string> Serials => Complete.Entries.Concat(Delta?.Entries ?? []).Select(e => e.Serial);
    }
}
