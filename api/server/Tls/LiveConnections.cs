using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Talos.Api.Server;

/// <summary>Counts connections by source and knows which certificate each one came with.</summary>
sealed class LiveConnections(int limitPerSource, TimeProvider time)
{
    // Enough for an answer to reach a caller on the other side of the world, and short of what a revoked certificate may be worth.
    static readonly TimeSpan Parting = TimeSpan.FromSeconds(1);

    readonly TimeProvider time = time;
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
        foreach (var seat in ending) seat.End();
    }

    internal sealed class Seat(LiveConnections owner, IPAddress source, ConnectionContext connection) : IDisposable
    {
        public ConnectionContext Connection { get; } = connection;

        public string? Serial { get; set; }

        // Answers that are on their way although the certificate may be revoked meanwhile.
        int answers;
        bool isEnding;

        /// <summary>Keeps the connection until what is given back is disposed: its caller is to get one answer even if that revokes the caller.</summary>
        public IDisposable KeepForAnswer()
        {
            lock (owner.gate) answers++;
            return new Keeping(this);
        }

        /// <summary>Ends the connection: at once, or once the answer that it is kept for is out.</summary>
        public void End()
        {
            lock (owner.gate)
            {
                isEnding = true;
                if (answers > 0) return;
            }
            Abort();
        }

        void Answered()
        {
            lock (owner.gate)
                if (--answers > 0 || !isEnding) return;
            // The answer lies in buffers: a graceful end sends it and takes no more calls. Whoever does not go by then is made to.
            Connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            _ = AbortAfterPartingAsync();
        }

        async Task AbortAfterPartingAsync()
        {
            await Task.Delay(Parting, owner.time, Connection.ConnectionClosed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Abort();
        }

        void Abort() => Connection.Abort(new ConnectionAbortedException("the caller's certificate was revoked"));

        sealed class Keeping(Seat seat) : IDisposable
        {
            Seat? kept = seat;

            public void Dispose() => Interlocked.Exchange(ref kept, null)?.Answered();
        }

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
