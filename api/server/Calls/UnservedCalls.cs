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
/// <param name="tooLarge">See <see cref="ApiHostOptions.TooLarge"/>.</param>
sealed class UnservedCalls(CallRecord? record, ApiLimits limits, Func<ServedCall, RefusalException, Task>? tooLarge, TimeProvider time)
{
    // LIMIT: what of a method's name is recorded; ours have under 80 characters.
    const int MaxMethod = 256;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var started = time.GetTimestamp();
        if (context.GetEndpoint() is null)
        {
            // First recorded, then answered, as a denial is.
            await RecordAsync(CallOf(context, started), StatusCode.Unimplemented, "this server has no such method").ConfigureAwait(false);
            AnswerUnknown(context);
            return;
        }
        await next(context).ConfigureAwait(false);
        if (context.Features.Get<ServedCall>() is not null) return;
        var (status, message) = StatusOf(context);
        var call = CallOf(context, started);
        // gRPC's own refusal of a message's size, from the length before the message: nothing of it was kept.
        if (status == StatusCode.ResourceExhausted && call is not null)
        {
            var refusal = (await RefuseAsync(call).ConfigureAwait(false)).ToRpc();
            Answer(context, refusal);
            (status, message) = (refusal.StatusCode, refusal.Status.Detail);
        }
        await RecordAsync(call, status, message).ConfigureAwait(false);
    }

    async Task<RefusalException> RefuseAsync(ServedCall call)
    {
        var refusal = new RefusalException(RefusalReason.InvalidRequest, string.Create(CultureInfo.InvariantCulture, $"the request is larger than {limits.RequestBytes} bytes"))
        {
            Id = "request-too-large",
        };
        if (tooLarge is null) return refusal;
        try
        {
            await tooLarge(call, refusal).ConfigureAwait(false);
            return refusal;
        }
        catch (RefusalException other)
        {
            return other;
        }
    }

    static ServedCall? CallOf(HttpContext context, long started)
    {
        if (context.Features.Get<Caller>() is not { } caller) return null;
        var path = context.Request.Path.Value ?? "";
        return new ServedCall(caller, path.Length <= MaxMethod ? path : path[..MaxMethod], started);
    }

    async Task RecordAsync(ServedCall? call, StatusCode status, string message)
    {
        if (record is null || call is null) return;
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

    // In place of gRPC's: in the headers of an answer that has not begun, in the trailers of one that has.
    static void Answer(HttpContext context, RpcException refusal)
    {
        var fields = context.Response.HasStarted ? context.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers : context.Response.Headers;
        fields["grpc-status"] = ((int)refusal.StatusCode).ToString(CultureInfo.InvariantCulture);
        fields["grpc-message"] = Uri.EscapeDataString(refusal.Status.Detail);
        foreach (var trailer in refusal.Trailers) fields[trailer.Key] = trailer.Value;
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
