using System.Globalization;

namespace Talos.Pki;

/// <summary>
/// Splits an authority's revocation lists by serial number, so that none grows with the fleet. Certificates name their
/// shard's list, and each list names itself (RFC 5280 §4.2.1.13, §5.2.5).
/// </summary>
public sealed record CrlSharding
{
    /// <param name="baseUri">http URI of the folder that lists are fetched from, without a final slash.</param>
    /// <param name="count">Number of shards, 1 to 4,096; it may grow only together with the authority.</param>
    public CrlSharding(string baseUri, int count)
    {
        if (!Uri.TryCreate(baseUri, UriKind.Absolute, out Uri? uri) || uri.Scheme != Uri.UriSchemeHttp || baseUri.EndsWith('/'))
            throw new ArgumentException($"`{baseUri}` is no http URI without a final slash", nameof(baseUri));
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 4096);
        BaseUri = baseUri;
        Count = count;
    }

    public string BaseUri { get; }

    public int Count { get; }

    /// <summary>The shard of a serial number of ours (36 hexadecimal digits), by its last 16 random bits.</summary>
    public int ShardOf(string serial) => int.Parse(serial.AsSpan(serial.Length - 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) % Count;

    public string CompleteUri(int shard) => $"{BaseUri}/{shard}.crl";

    public string DeltaUri(int shard) => $"{BaseUri}/{shard}-delta.crl";
}
