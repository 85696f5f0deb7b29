namespace Talos.Api.Server;

/// <summary>What one server is willing to hold for its callers.</summary>
public sealed record ApiLimits
{
    // LIMIT: the largest request is a CSR or a policy bundle's chunk; 1 MiB leaves room and bounds what 100 streams can pin.
    public int RequestBytes { get; init; } = 1 << 20;

    // LIMIT: a gRPC call of ours sends under 1 KiB of headers.
    public int HeaderBytes { get; init; } = 8 << 10;

    // LIMIT: osctl opens a handful of streams on one connection; RFC 9113 §6.5.2 recommends no less than 100.
    public int StreamsPerConnection { get; init; } = 100;

    // LIMIT: several people behind one address, each with a few terminals.
    public int ConnectionsPerSource { get; init; } = 64;

    // LIMIT: a connection costs about 40 KiB; this bounds them to a quarter of the process's heap.
    public int Connections { get; init; } = 512;

    /// <summary>From the accepted connection to the end of the TLS handshake.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long calls may go on after the server was told to stop.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a request waits for its second person, and the approval for its call: time to phone someone, not to forget it.</summary>
    public static TimeSpan ApprovalLifetime { get; } = TimeSpan.FromMinutes(10);
}
