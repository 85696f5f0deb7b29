using Microsoft.AspNetCore.Http;

namespace Talos.Api.Server;

/// <summary>
/// What ends a stream besides its caller and its handler: the server stops, or the certificate that opened it expires. Either
/// cancels the handler's token, so that the stream ends with a status and not with a broken connection.
/// </summary>
sealed class StreamBounds : IDisposable
{
    // LIMIT: what a timer of the platform can wait for; no certificate of ours lives as long.
    static readonly TimeSpan LongestWait = TimeSpan.FromDays(40);

    readonly CancellationTokenSource ending;
    readonly CancellationToken stopping;
    readonly ITimer? expiry;
    volatile bool hasExpired;

    StreamBounds(HttpContext http, Caller caller, TimeProvider time, CancellationToken stopping)
    {
        this.stopping = stopping;
        ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        http.RequestAborted = ending.Token;
        if (caller.Identity is not { } identity) return;
        var left = identity.NotAfter - time.GetUtcNow();
        expiry = time.CreateTimer(_ => Expire(), null, left < TimeSpan.Zero ? TimeSpan.Zero : left < LongestWait ? left : LongestWait, Timeout.InfiniteTimeSpan);
    }

    public static StreamBounds Enter(HttpContext http, Caller caller, TimeProvider time, CancellationToken stopping) => new(http, caller, time, stopping);

    /// <summary>Why the stream was ended from here; null when it was not.</summary>
    public RefusalException? Reason
    {
        get
        {
            if (hasExpired) return new RefusalException(RefusalReason.IdentityExpired, "the certificate that opened the stream has expired");
            if (!stopping.IsCancellationRequested) return null;
            return new RefusalException(RefusalReason.Stopping, "the server is stopping") { Hint = "connect again in a few seconds" };
        }
    }

    public void Dispose()
    {
        expiry?.Dispose();
        ending.Dispose();
    }

    void Expire()
    {
        hasExpired = true;
        ending.Cancel();
    }
}
