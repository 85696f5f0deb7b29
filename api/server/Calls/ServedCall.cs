using Grpc.AspNetCore.Server;
using Grpc.Core;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>The call a handler is answering, as the gate knows it.</summary>
public sealed class ServedCall
{
    // LIMIT: an entry stays small enough to be read by a person; a handler that has more to say writes an entry of its own.
    const int MaxNotes = 16, MaxNoteLength = 512;

    readonly Lock gate = new();
    Dictionary<string, string>? notes;

    internal ServedCall(Caller caller, string method, long started)
    {
        Caller = caller;
        Method = method;
        Started = started;
    }

    public Caller Caller { get; }

    /// <summary>Full gRPC name, `/talos.machine.v1.MachineService/Reboot`.</summary>
    public string Method { get; }

    /// <summary>Index of the entry that opened the call, for entries that refer to it; null while it is not durable.</summary>
    public ulong? OpenedIndex => Opening is { IsDurable: true } opening ? opening.Index : null;

    internal long Started { get; }

    internal Talos.Policy.Decision? Decision { get; set; }

    /// <summary>The opening entry; null when the log did not take it.</summary>
    internal PendingEntry? Opening { get; set; }

    /// <summary>Why the log did not take it.</summary>
    internal AuditLogException? OpeningFailure { get; set; }

    /// <summary>Empty for most calls.</summary>
    internal IReadOnlyList<LoggedField> Fields { get; set; } = [];

    internal IReadOnlyDictionary<string, string>? Notes => notes;

    /// <summary>Adds a fact to the entry that will close this call. Never a secret.</summary>
    public void Note(string key, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        lock (gate)
        {
            notes ??= [];
            if (notes.Count >= MaxNotes && !notes.ContainsKey(key)) throw new InvalidOperationException($"more than {MaxNotes} notes on one call");
            notes[key] = value.Length <= MaxNoteLength ? value : value[..MaxNoteLength];
        }
    }

    /// <summary>
    /// Lets this call be answered even if it revokes the certificate that it came with: the connection ends right after the answer, not before it.
    /// Other calls on it are refused from the revocation on, as ever.
    /// </summary>
    /// <exception cref="InvalidOperationException">The call did not come through the gate.</exception>
    public static void AnswerBeforeEnd(ServerCallContext context)
    {
        var http = context.GetHttpContext();
        var seat = http.Features.Get<LiveConnections.Seat>() ?? throw new InvalidOperationException("the call did not come through the gate");
        http.Response.RegisterForDispose(seat.KeepForAnswer());
    }

    /// <summary>The call that <paramref name="context"/> belongs to.</summary>
    /// <exception cref="InvalidOperationException">The call did not come through the gate.</exception>
    public static ServedCall Of(ServerCallContext context) =>
        context.GetHttpContext().Features.Get<ServedCall>() ?? throw new InvalidOperationException("the call did not come through the gate");
}
