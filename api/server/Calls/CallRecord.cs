using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>Writes the two entries of each call: one before it is decided, one when it ended.</summary>
sealed partial class CallRecord(AuditLog audit, TimeProvider time, ILogger<CallRecord> log)
{
    // LIMIT: a status sentence is for people; whatever made a longer one has it in its own log.
    const int MaxMessage = 512;

    static readonly ByteString EmptyDigest = ByteString.CopyFrom(SHA256.HashData([]));

    /// <summary>Hands the opening entry to the log; <see cref="OpenedAsync"/> waits until it is durable.</summary>
    public void Open(ServedCall call, IMessage? request)
    {
        var entry = new Entry
        {
            Kind = EntryKind.CallOpened,
            Caller = Describe(call.Caller),
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
            log.LogError(e, "the opening of {Method} was not recorded", call.Method);
            throw new RefusalException(RefusalReason.AuditUnavailable, "the call cannot be recorded, so it is not made")
            {
                Hint = e.Reason == AuditLogReason.DiskFull ? "free space on the node's state file system" : "see the log of the service that answered",
            };
        }
    }

    /// <summary>Writes the closing entry. Never throws: the call has ended, and an opening without an end shows in the log.</summary>
    /// <returns>Ends when the entry is durable if the call was denied, else at once: a denied caller learns of it only after the record did.</returns>
    public Task CloseAsync(ServedCall call, StatusCode status, string message)
    {
        var ended = time.GetElapsedTime(call.Started);
        var isDenied = status is StatusCode.PermissionDenied or StatusCode.Unauthenticated;
        if (isDenied) return WriteClosingAsync(call, status, message, ended, wait: true);
        if (call.Opening.IsCompletedSuccessfully)
        {
            Post(Closing(call, call.Opening.Result.Index, status, message, ended));
            return Task.CompletedTask;
        }
        // A best-effort call does not wait for the disk; its end is written once its opening has an index.
        _ = WriteClosingAsync(call, status, message, ended, wait: false);
        return Task.CompletedTask;
    }

    async Task WriteClosingAsync(ServedCall call, StatusCode status, string message, TimeSpan duration, bool wait)
    {
        try
        {
            var entry = Closing(call, (await call.Opening.ConfigureAwait(false)).Index, status, message, duration);
            if (wait) await audit.AppendAsync(entry).ConfigureAwait(false);
            else Post(entry);
        }
        catch (AuditLogException e)
        {
            log.LogError(e, "the call of {Method} that ended with {Status} was not recorded", call.Method, status);
        }
    }

    // The log counts what it loses, and says so in an entry of its own.
    void Post(Entry entry)
    {
        if (audit.Post(entry) == AuditDisposition.Lost) log.LogError("the end of {Method} was not recorded", entry.Method);
    }

    static Entry Closing(ServedCall call, ulong opened, StatusCode status, string message, TimeSpan duration)
    {
        var entry = new Entry
        {
            Kind = EntryKind.CallClosed,
            OpenedIndex = opened,
            Caller = Describe(call.Caller),
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
        foreach (var (key, value) in call.Notes) entry.Details[key] = value;
        return entry;
    }

    static ByteString Digest(IMessage request)
    {
        var size = request.CalculateSize();
        if (size == 0) return EmptyDigest;
        return ByteString.CopyFrom(SHA256.HashData(request.ToByteArray()));
    }
}
