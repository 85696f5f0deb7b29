using System.Text;
using Grpc.Core;

namespace Talos.Api.Server;

/// <summary>
/// What a handler throws to refuse a call: the gate turns it into a gRPC status with the trailers `talos-reason` and
/// `talos-hint`, and puts it on the record. Anything else that a handler throws becomes INTERNAL and says nothing to the caller.
/// </summary>
/// <param name="reason">Decides the status.</param>
/// <param name="sentence">For people: lower case, no full stop, user input in backticks. Reaches the caller.</param>
/// <param name="cause">For a log; reaches nobody.</param>
public class RefusalException(RefusalReason reason, string sentence, Exception? cause = null) : Exception(sentence, cause)
{
    public const string ReasonTrailer = "talos-reason";
    public const string HintTrailer = "talos-hint";

    public RefusalReason Reason { get; } = reason;

    /// <summary>A more exact identifier than the reason's own, for instance one from policy or from the PKI.</summary>
    public string Id { get => field ?? Reason.Id(); init; }

    /// <summary>What the caller can do about it; empty when there is nothing.</summary>
    public string Hint { get; init; } = "";

    internal RpcException ToRpc()
    {
        var trailers = new Metadata { { ReasonTrailer, HeaderText(Id) } };
        if (Hint.Length > 0) trailers.Add(HintTrailer, HeaderText(Hint));
        return new RpcException(new Status(Reason.Status(), Message), trailers, Message);
    }

    // gRPC over HTTP/2: a metadata value is printable ASCII. The status message is percent-encoded by the transport, trailers are not.
    static string HeaderText(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var c in text) clean.Append(c is >= ' ' and <= '~' ? c : '?');
        return clean.ToString();
    }
}
