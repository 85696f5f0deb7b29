using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>Writes the two entries of each call: one before it is decided, one when it ended.</summary>
sealed partial class CallRecord(AuditLog audit, TimeProvider time, ILogger<CallRecord> log, int maxBehind = CallRecord.DefaultMaxBehind)
{
    // LIMIT: entries that wait for the disk while their calls do not; about 1 KiB each.
    const int DefaultMaxBehind = 4096;

    readonly RecordLosses losses = new(time, log);
    int behind;

    // LIMIT: a status sentence is for people; whatever made a longer one has it in its own log.
    const int MaxMessage = 512;

    static readonly ByteString EmptyDigest = ByteString.CopyFrom(SHA256.HashData([]));

    /// <summary>Hands the opening entry to the log; <see cref="OpenedAsync"/> waits until it is durable.</summary>
    public void Open(ServedCall call, IMessage? request)
    {
        var entry = new Entry
        {
            Kind = EntryKind.CallOpened,
            Caller = call.Caller.Recorded,
            Method = call.Method,
        };
        if (request is not null) entry.RequestDigest = Digest(request);
        call.Opening = audit.AppendAsync(entry).AsTask();
    }

    /// <summary>Returns when the opening is durable.</summary>
    /// <exception cref="RefusalException">The call cannot be recorded, so it is not made.</exception>
    public async ValueTask OpenedAsync(ServedCall call)
    {
        try
        {
            await call.Opening.ConfigureAwait(false);
        }
        catch (AuditLogException e)
        {
            losses.Add(e, call.Method);
            throw new RefusalException(RefusalReason.AuditUnavailable, "the call cannot be recorded, so it is not made")
            {
                Hint = e.Reason == AuditLogReason.DiskFull ? "free space on the node's state file system" : "see the log of the service that answered",
            };
        }
    }

    /// <summary>For calls that need no record: returns at once, unless the log is so far behind that callers have to wait for it.</summary>
    public async ValueTask KeepPaceAsync(ServedCall call)
    {
        if (Volatile.Read(ref behind) < maxBehind) return;
        // The outcome is looked at when the call is closed.
        await ((Task)call.Opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Writes the closing entry. Never throws: the call has ended, and an opening without an end shows in the log.</summary>
    /// <returns>Ends when the entry is durable if the call was denied, else at once: a denied caller learns of it only after the record did.</returns>
    public Task CloseAsync(ServedCall call, StatusCode status, string message)
    {
        var closing = WriteClosingAsync(call, status, message, time.GetElapsedTime(call.Started));
        return status is StatusCode.PermissionDenied or StatusCode.Unauthenticated ? closing : Task.CompletedTask;
    }

    async Task WriteClosingAsync(ServedCall call, StatusCode status, string message, TimeSpan duration)
    {
        Interlocked.Increment(ref behind);
        try
        {
            // A best-effort call may end before its opening has an index.
            var opened = call.Opening.IsCompletedSuccessfully ? call.Opening.Result : await call.Opening.ConfigureAwait(false);
            await audit.AppendAsync(Closing(call, opened.Index, status, message, duration)).ConfigureAwait(false);
        }
        catch (AuditLogException e)
        {
            losses.Add(e, call.Method);
        }
        finally
        {
            Interlocked.Decrement(ref behind);
        }
    }

    static Entry Closing(ServedCall call, ulong opened, StatusCode status, string message, TimeSpan duration)
    {
        var entry = new Entry
        {
            Kind = EntryKind.CallClosed,
            OpenedIndex = opened,
            Caller = call.Caller.Recorded,
            Method = call.Method,
            Decision = Describe(call.Decision, status),
            Outcome = new Outcome
            {
                Status = StatusName(status),
                DurationNanos = (ulong)(duration.Ticks * TimeSpan.NanosecondsPerTick),
                Message = message.Length <= MaxMessage ? message : message[..MaxMessage],
            },
        };
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
