using System.Text;
using Grpc.Core;

namespace Talos.Machined.Api;

/// <summary>The one place where a refusal becomes a status: a sentence, a reason that programs can tell apart, and a hint. osd passes all three on.</summary>
static class Refusal
{
    internal static RpcException Of(StatusCode code, string sentence, string hint = "")
    {
        var trailers = new Metadata { { "talos-reason", Reason(code) } };
        if (hint.Length > 0)
            trailers.Add("talos-hint", HeaderText(hint));
        return new RpcException(new Status(code, sentence), trailers);
    }

    /// <summary>The ids of Talos.Api.Server's RefusalReason.</summary>
    static string Reason(StatusCode code) => code switch
    {
        StatusCode.InvalidArgument => "invalid-request",
        StatusCode.NotFound => "not-found",
        StatusCode.FailedPrecondition => "wrong-state",
        StatusCode.PermissionDenied => "not-allowed",
        StatusCode.ResourceExhausted => "too-many-requests",
        StatusCode.Unavailable => "backend-unavailable",
        _ => "internal",
    };

    // gRPC over HTTP/2: a metadata value is printable ASCII.
    static string HeaderText(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var c in text)
            clean.Append(c is >= ' ' and <= '~' ? c : '?');
        return clean.ToString();
    }
}
