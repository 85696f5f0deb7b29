using System.Net;
using System.Security.Cryptography;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Talos.Pki;

namespace Talos.Api.Server;

public sealed partial class NodeIdentity
{
    // A control plane's own trustd starts beside this and is there a moment later: asked often at first, then ever more rarely.
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    const int ShortPauses = 20;

    static readonly TimeSpan PauseOfRefused = TimeSpan.FromSeconds(1);

    // trustd may be away for hours; a node asks often enough to be back within a minute of it.
    static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    // Someone stands at the console and waits for it.
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    // A machine that slept has a wall clock far ahead of its timers.
    static readonly TimeSpan LongestNap = TimeSpan.FromMinutes(5);

    /// <summary>Obtains a certificate if there is none, then keeps it fresh until cancelled. Never gives up.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            var (pause, pauses) = (FirstPause, 0);
            while (true)
            {
                if (Remaining() is var (nap, woken))
                {
                    await woken.WaitAsync(nap, options.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    cancellation.ThrowIfCancellationRequested();
                    continue;
                }
                if (await TryRefreshAsync(cancellation).ConfigureAwait(false) is { } fresh)
                {
                    lock (gate) renewAt = MomentToRenew(fresh);
                    (pause, pauses) = (FirstPause, 0);
                    Announce();
                    continue;
                }
                // Who answered with a no is there, and asking faster changes no mind.
                if (isRefused) (pauses, pause) = (ShortPauses, pause < PauseOfRefused ? PauseOfRefused : pause);
                await Task.Delay(pause * (0.8 + Fraction() * 0.4), options.Time, cancellation).ConfigureAwait(false);
                if (++pauses >= ShortPauses) pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, (waiting.Length > 0 ? LongestWait : LongestPause).Ticks));
            }
        }
        catch (Exception e) when (cancellation.IsCancellationRequested && e is (OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled }))
        {
            ready.TrySetCanceled(cancellation);
        }
    }

    /// <summary>
    /// Has the certificate renewed within <paramref name="span"/>, at a random moment, so that a fleet that is told to does not do it at once. For a
    /// certificate whose authority is about to go.
    /// </summary>
    public void RenewWithin(TimeSpan span)
    {
        lock (gate)
        {
            var moment = options.Time.GetUtcNow() + span * Fraction();
            if (moment >= renewAt) return;
            renewAt = moment;
            wake.TrySetResult();
        }
    }

    /// <summary>How long to sleep and what ends the sleep early; null when it is time to renew.</summary>
    (TimeSpan Nap, Task Woken)? Remaining()
    {
        lock (gate)
        {
            var left = renewAt - options.Time.GetUtcNow();
            if (left <= TimeSpan.Zero) return null;
            if (wake.Task.IsCompleted) wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (left < LongestNap ? left : LongestNap, wake.Task);
        }
    }

    void Announce()
    {
        Interlocked.Exchange(ref renewed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        // Last: who waits for the first certificate is not to take it for a renewal too.
        ready.TrySetResult();
    }

    async Task<TrustMaterial?> TryRefreshAsync(CancellationToken cancellation)
    {
        var current = Slot.Current;
        var fingerprint = "";
        isRefused = false;
        var canRenew = current is not null && current.Certificate.NotAfter.ToUniversalTime() > options.Time.GetUtcNow().UtcDateTime;
        try
        {
            using var key = PendingKey();
            fingerprint = SubjectPublicKey.FingerprintOf(key.ExportSubjectPublicKeyInfo());
            // A renewal says what the certificate before it said, and one that asks for more is refused. An address that the machine got since must not cost it
            // its certificate.
            var names = canRenew ? Renewable(current!) : options.Names;
            using var request = CertificateSigningRequest.Create(key, options.Name, HostNames(names), Addresses(names));
            var grant = canRenew
                ? await source.RenewAsync(request.Der, current!, cancellation).ConfigureAwait(false)
                : await source.EnrollAsync(request.Der, Learned(), cancellation).ConfigureAwait(false);
            TrustMaterial fresh;
            lock (gate)
            {
                Use(key, grant);
                Keep(key, grant, enrolled: !canRenew);
                fresh = Slot.Current!;
            }
            (waiting, complaint, renamed) = ("", "", "");
            log.LogInformation("{What} certificate {Serial}, valid until {NotAfter:O}", canRenew ? "renewed" : "obtained", fresh.Certificate.SerialNumber.ToLowerInvariant(), fresh.Certificate.NotAfter.ToUniversalTime());
            return fresh;
        }
        catch (EnrollmentException e) when (e.Failure == EnrollmentFailure.Waiting)
        {
            // Once for each request, not once for each time it is asked.
            if (waiting != e.Message) log.LogWarning("waiting for a person: `osctl enroll approve {Id} --fingerprint {Fingerprint}`", e.Message, fingerprint);
            waiting = e.Message;
        }
        catch (EnrollmentException e)
        {
            // An answer that did not arrive changes nothing about what is waited for.
            if (e.Failure != EnrollmentFailure.Unreachable) waiting = "";
            isRefused = e.Failure == EnrollmentFailure.Refused;
            // While a trustd starts it is asked many times a second.
            if (complaint != e.Message) log.LogWarning("no {What} certificate: {Reason}{Hint}", canRenew ? "new" : "first", e.Message, canRenew ? "" : renamed);
            complaint = e.Message;
        }
        catch (IOException e)
        {
            log.LogError(e, "no certificate can be kept in {Folder}", options.Folder);
        }
        return null;
    }

    List<string> Renewable(TrustMaterial current)
    {
        var held = Certificate.Parse(current.Certificate.RawData).Require().AlternativeNames.Select(n => n.Text).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var names = options.Names.Select(n => IPAddress.TryParse(n, out var address) ? address.ToString() : n).ToLookup(held.Contains);
        var more = string.Join(", ", names[false].Select(n => $"`{n}`"));
        if (more.Length > 0 && unnamed != more)
            log.LogWarning("the certificate does not name {Names}, and a renewal adds nothing: that takes a token or a person's approval again", more);
        unnamed = more;
        return [.. names[true]];
    }

    static IEnumerable<string> HostNames(IEnumerable<string> names) => names.Where(n => !IPAddress.TryParse(n, out _));

    static IEnumerable<IPAddress> Addresses(IEnumerable<string> names) => names.Select(n => IPAddress.TryParse(n, out var a) ? a : null).OfType<IPAddress>();

    /// <summary>
    /// A new key with every certificate, so that a leaked one is worth a day at most; but the same one until there is a certificate for
    /// it, so that trustd can tell a repeated question, whose answer was lost, from a second use of the token.
    /// </summary>
    ECDsa PendingKey()
    {
        if (DurableFile.Read(Pending) is { } text)
        {
            var kept = ECDsa.Create();
            try
            {
                kept.ImportFromPem(text);
                return kept;
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                kept.Dispose();
                log.LogWarning("the key in {File} is of no use: {Reason}", Pending, e.Message);
            }
        }
        var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DurableFile.Write(Pending, made.ExportPkcs8PrivateKeyPem() + "\n");
        return made;
    }

    /// <summary>Between one half and two thirds of its life, so that nodes which started together do not renew together.</summary>
    internal static DateTimeOffset MomentToRenew(TrustMaterial material)
    {
        DateTimeOffset from = material.Certificate.NotBefore.ToUniversalTime();
        var life = material.Certificate.NotAfter.ToUniversalTime() - from;
        return from + life * (0.5 + Fraction() / 6);
    }

    static double Fraction() => RandomNumberGenerator.GetInt32(1 << 20) / (double)(1 << 20);
}
