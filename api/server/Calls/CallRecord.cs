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
    public ValueTask<AuditReceipt> Open(ServedCall call, IMessage? request)
    {
        var entry = new Entry
        {
            Kind = EntryKind.CallOpened,
            Caller = Describe(call.Caller),
            Method = call.Method,
        };
        if (request is not null) entry.RequestDigest = Digest(request);
        return audit.AppendAsync(entry);
    }

    /// <summary>Returns when the opening is durable, or when it could not be written and <paramref name="failClosed"/> is false.</summary>
    /// <exception cref="RefusalException">The call cannot be recorded, so it is not made.</exception>
    public async ValueTask OpenedAsync(ServedCall call, ValueTask<AuditReceipt> opening, bool failClosed)
    {
        try
        {
            call.OpenedIndex = (await opening.ConfigureAwait(false)).Index;
        }
        catch (AuditLogException e)
        {
            log.LogError(e, "the opening of {Method} was not recorded", call.Method);
            if (!failClosed) return;
            throw new RefusalException(RefusalReason.AuditUnavailable, "the call cannot be recorded, so it is not made")
            {
                Hint = e.Reason == AuditLogReason.DiskFull ? "free space on the node's state file system" : "see the log of the service that answered",
            };
        }
    }

    /// <summary>Writes the closing entry. Never throws: the call has ended, and an opening without an end shows in the log.</summary>
    /// <returns>Ends when the entry is durable if the call was denied, else at once: a denied caller learns of it only after the record did.</returns>
    public async ValueTask CloseAsync(ServedCall call, StatusCode status, string message)
    {
        if (call.OpenedIndex is not { } opened) return;
        var entry = Closing(call, opened, status, message);
        if (status is not (StatusCode.PermissionDenied or StatusCode.Unauthenticated))
        {
            // The log counts what it loses, and says so in an entry of its own.
            if (audit.Post(entry) == AuditDisposition.Lost) log.LogError("the end of {Method} was not recorded", call.Method);
            return;
        }
        try
        {
            await audit.AppendAsync(entry).ConfigureAwait(false);
        }
        catch (AuditLogException e)
        {
            log.LogError(e, "the end of {Method} was not recorded", call.Method);
        }
    }

    Entry Closing(ServedCall call, ulong opened, StatusCode status, string message)
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
                DurationNanos = (ulong)(time.GetElapsedTime(call.Started).Ticks * TimeSpan.NanosecondsPerTick),
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
