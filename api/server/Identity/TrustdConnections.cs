using Grpc.Net.Client;
using Talos.Api.Configuration;

namespace Talos.Api.Server;

/// <summary>
/// The connections to trustd that one node's followers share, so that a fleet costs trustd one connection a node and not one a stream. A connection
/// is for one endpoint and one own certificate, and ends with the last who holds a seat on it. Thread-safe.
/// </summary>
/// <param name="cluster">The trust domain that trustd must belong to.</param>
public sealed class TrustdConnections(string cluster, TimeProvider time)
{
    // LIMIT: one complete revocation list of 1,000,000 serials takes 44 MB.
    const int MaxMessage = 64 << 20;

    readonly Lock gate = new();
    readonly List<Shared> open = [];

    internal Seat Join(Endpoint endpoint, TrustMaterial own)
    {
        lock (gate)
        {
            var shared = open.Find(s => s.Endpoint == endpoint && ReferenceEquals(s.Own.Certificate, own.Certificate));
            if (shared is null) open.Add(shared = new Shared(endpoint, own, new ServerCheck(endpoint, own.Roots, cluster, time)));
            // Should the connection have to be made again, then with what is trusted by now.
            else shared.Check.Trust(own.Roots);
            shared.Seats++;
            return new Seat(this, shared);
        }
    }

    void Leave(Shared shared)
    {
        lock (gate)
        {
            if (--shared.Seats > 0) return;
            open.Remove(shared);
        }
        shared.Channel.Dispose();
    }

    internal sealed class Seat(TrustdConnections connections, Shared shared) : IDisposable
    {
        Shared? held = shared;

        public GrpcChannel Channel { get; } = shared.Channel;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref held, null) is { } left) connections.Leave(left);
        }
    }

    internal sealed class Shared(Endpoint endpoint, TrustMaterial own, ServerCheck check)
    {
        public Endpoint Endpoint => endpoint;

        public TrustMaterial Own => own;

        public ServerCheck Check => check;

        public GrpcChannel Channel { get; } = ServerCheck.Open(endpoint, check, own, MaxMessage);

        public int Seats { get; set; }
    }
}
