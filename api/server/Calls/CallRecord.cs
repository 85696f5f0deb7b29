using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>Writes the two entries of each call: one before it is decided, one when it ended.</summary>
sealed partial class CallRecord
{
    // LIMIT: a status sentence is for people; whatever made a longer one has it in its own log.
    const int MaxMessage = 512;

    // The log has read an entry when it gave it a place: a thread makes all of its entries in these two.
    [ThreadStatic]
    static Entry? t_opening, t_closing;

    static readonly ByteString EmptyDigest = ByteString.CopyFrom(SHA256.HashData([]));

    readonly AuditLog audit;
    readonly TimeProvider time;
    readonly RecordLosses losses;

    public CallRecord(AuditLog audit, TimeProvider time, ILogger<CallRecord> log)
    {
        this.audit = audit;
        this.time = time;
        losses = new RecordLosses(time, log);
        audit.Losing += losses.Add;
    }

    /// <summary>
    /// Gives the opening entry its place on the record; <see cref="OpenedAsync"/> waits until it is durable. Waits itself only while the log is
    /// as far behind as it may be.
    /// </summary>
    public async ValueTask OpenAsync(ServedCall call, IMessage? request)
    {
        var entry = t_opening ??= new Entry { Kind = EntryKind.CallOpened };
        entry.Caller = call.Caller.Recorded;
        entry.Method = call.Method;
        entry.RequestDigest = request is null ? ByteString.Empty : Digest(request);
        try
        {
            call.Opening = await audit.QueueAsync(entry).ConfigureAwait(false);
        }
        catch (AuditLogException e)
        {
            call.OpeningFailure = e;
            losses.Add(1, e);
        }
    }

    /// <summary>Returns when the opening is durable.</summary>
    /// <exception cref="RefusalException">The call cannot be recorded, so it is not made.</exception>
    public async ValueTask OpenedAsync(ServedCall call)
    {
        if (call.Opening is { IsDurable: true }) return;
        try
        {
            if (call.Opening is not { } opening) throw call.OpeningFailure ?? (Exception)new InvalidOperationException("the call was not opened");
            await audit.DurableAsync(opening).ConfigureAwait(false);
        }
        catch (AuditLogException e)
        {
            if (call.OpeningFailure is null) losses.Add(1, e);
            throw new RefusalException(RefusalReason.AuditUnavailable, "the call cannot be recorded, so it is not made")
            {
                Hint = e.Reason == AuditLogReason.DiskFull ? "free space on the node's state file system" : "see the log of the service that answered",
            };
        }
    }

    /// <summary>
    /// Gives the closing entry its place. Never throws: the call has ended, and an opening without an end shows in the log. Waits until both
    /// entries are durable if the call was denied: its caller learns of it only after the record did.
    /// </summary>
    public ValueTask CloseAsync(ServedCall call, StatusCode status, string message) =>
        CloseAsync(call, status, message, isAwaited: status is StatusCode.PermissionDenied or StatusCode.Unauthenticated);

    /// <inheritdoc cref="CloseAsync(ServedCall, StatusCode, string)"/>
    public async ValueTask CloseAsync(ServedCall call, StatusCode status, string message, bool isAwaited)
    {
        // The call as such was said to be lost.
        if (call.Opening is not { } opening) return;
        try
        {
            var entry = Closing(call, opening.Index, status, message, time.GetElapsedTime(call.Started));
            var closing = await audit.QueueAsync(entry, after: opening).ConfigureAwait(false);
            if (isAwaited) await audit.DurableAsync(closing).ConfigureAwait(false);
        }
        catch (AuditLogException e)
        {
            losses.Add(1, e);
        }
    }

    static Entry Closing(ServedCall call, ulong opened, StatusCode status, string message, TimeSpan duration)
    {
        var entry = t_closing ??= new Entry { Kind = EntryKind.CallClosed, Decision = new Decision(), Outcome = new Outcome() };
        entry.OpenedIndex = opened;
        entry.Caller = call.Caller.Recorded;
        entry.Method = call.Method;
        Describe(entry.Decision, call.Decision, status);
        entry.Outcome.Status = StatusName(status);
        entry.Outcome.DurationNanos = (ulong)(duration.Ticks * TimeSpan.NanosecondsPerTick);
        entry.Outcome.Message = message.Length <= MaxMessage ? message : message[..MaxMessage];
        entry.Fields.Clear();
        entry.Details.Clear();
        foreach (var field in call.Fields) entry.Fields.Add(field);
        if (call.Notes is { } notes) foreach (var (key, value) in notes) entry.Details[key] = value;
        return entry;
    }

    static ByteString Digest(IMessage request)
    {
        var size = request.CalculateSize();
        if (size == 0) return EmptyDigest;
        return ByteString.CopyFrom(SHA256.HashData(request.ToByteArray()));
    }
}
