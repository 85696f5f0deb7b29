using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Talos.Api.Server;

/// <summary>
/// Records the calls that never reach the gate, and so no handler: methods that do not exist, and requests that are too large or no message at
/// all. Whoever asks for them stands on the record like everyone who was denied.
/// </summary>
/// <param name="record">Null in maintenance, when there is none.</param>
sealed class UnservedCalls(CallRecord? record, TimeProvider time)
{
    // LIMIT: what of a method's name is recorded; ours have under 80 characters.
    const int MaxMethod = 256;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var started = time.GetTimestamp();
        if (context.GetEndpoint() is null)
        {
            // First recorded, then answered, as a denial is.
            await RecordAsync(context, StatusCode.Unimplemented, "this server has no such method", started).ConfigureAwait(false);
            AnswerUnknown(context);
            return;
        }
        await next(context).ConfigureAwait(false);
        if (context.Features.Get<ServedCall>() is not null) return;
        var (status, message) = StatusOf(context);
        await RecordAsync(context, status, message, started).ConfigureAwait(false);
    }

    async Task RecordAsync(HttpContext context, StatusCode status, string message, long started)
    {
        if (record is null || context.Features.Get<Caller>() is not { } caller) return;
        var path = context.Request.Path.Value ?? "";
        var call = new ServedCall(caller, path.Length <= MaxMethod ? path : path[..MaxMethod], started);
        await record.OpenAsync(call, null).ConfigureAwait(false);
        await record.CloseAsync(call, status, message, isAwaited: true).ConfigureAwait(false);
    }

    // gRPC over HTTP/2, "Trailers-Only": the status rides in the headers of an answer without a body.
    static void AnswerUnknown(HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = "12";
        context.Response.Headers["grpc-message"] = "this server has no such method";
        context.Response.Headers[RefusalException.ReasonTrailer] = RefusalReason.UnknownMethod.Id();
    }

    static (StatusCode, string) StatusOf(HttpContext context)
    {
        var trailers = context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers;
        var code = Field("grpc-status");
        return int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= (int)StatusCode.Unauthenticated
            ? ((StatusCode)number, Field("grpc-message"))
            // Not even gRPC: another verb, another type of content.
            : (StatusCode.InvalidArgument, string.Create(CultureInfo.InvariantCulture, $"refused with HTTP status {context.Response.StatusCode}"));

        string Field(string name) => trailers is not null && trailers.TryGetValue(name, out var value) ? value.ToString() : context.Response.Headers[name].ToString();
    }
}
