using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Talos.Api.Server;

/// <summary>Counts connections by source and knows which certificate each one came with.</summary>
sealed class LiveConnections(int limitPerSource)
{
    readonly Lock gate = new();
    readonly Dictionary<IPAddress, int> perSource = [];
    readonly HashSet<Seat> seats = [];

    /// <summary>A seat, or null when <paramref name="source"/> holds as many connections as one source may.</summary>
    public Seat? TryEnter(IPAddress source, ConnectionContext connection)
    {
        lock (gate)
        {
            var count = perSource.GetValueOrDefault(source);
            if (count >= limitPerSource) return null;
            perSource[source] = count + 1;
            var seat = new Seat(this, source, connection);
            seats.Add(seat);
            return seat;
        }
    }

    /// <summary>Ends every connection whose certificate has one of these serials.</summary>
    public void Close(IReadOnlySet<string> serials)
    {
        List<Seat> ending;
        lock (gate) ending = [.. seats.Where(s => s.Serial is { } serial && serials.Contains(serial))];
        foreach (var seat in ending) seat.Connection.Abort(new ConnectionAbortedException("the caller's certificate was revoked"));
    }

    internal sealed class Seat(LiveConnections owner, IPAddress source, ConnectionContext connection) : IDisposable
    {
        public ConnectionContext Connection { get; } = connection;

        public string? Serial { get; set; }

        public void Dispose()
        {
            lock (owner.gate)
            {
                if (!owner.seats.Remove(this)) return;
                var left = owner.perSource[source] - 1;
                if (left == 0) owner.perSource.Remove(source);
                else owner.perSource[source] = left;
            }
        }
    }
}
