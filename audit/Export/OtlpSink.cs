using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Talos.Audit.Otlp;

namespace Talos.Audit;

/// <summary>
/// OpenTelemetry logs over gRPC (OTLP 1.x, LogsService/Export). A batch is delivered when the collector answers OK; what it rejects for
/// good is counted, not sent again.
/// </summary>
public sealed class OtlpSink : AuditSink
{
    const string Method = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

    readonly HttpClient _client;
    readonly Uri _endpoint;

    /// <summary>
    /// Delivers to `http://host:port` or `https://…`. The client's handler carries trust and certificates; it is disposed with the sink.
    /// </summary>
    public OtlpSink(Uri endpoint, HttpMessageHandler handler)
    {
        _endpoint = endpoint;
        _client = new HttpClient(handler, disposeHandler: true);
    }

    /// <inheritdoc />
    public override string Target => _endpoint.ToString();

    /// <summary>Entries that the collector refused for good.</summary>
    public long Rejected { get; private set; }

    /// <inheritdoc />
    public override async ValueTask SendAsync(IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken)
    {
        ExportLogsServiceRequest request = new() { ResourceLogs = { Resource(records) } };
        using HttpRequestMessage message = new(HttpMethod.Post, new Uri(_endpoint, Method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Frame(request)) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        message.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using HttpResponseMessage response = await _client.SendAsync(message, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK) throw new AuditDeliveryException($"the collector answers {(int)response.StatusCode}");
        byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        // An error without a body comes in the headers alone ("trailers-only").
        string? status = Header(response.TrailingHeaders, "grpc-status") ?? Header(response.Headers, "grpc-status");
        if (status != "0")
        {
            string? sentence = Header(response.TrailingHeaders, "grpc-message") ?? Header(response.Headers, "grpc-message");
            throw new AuditDeliveryException($"the collector answers gRPC status {status ?? "none"}: {sentence}");
        }
        Rejected += Read(body).PartialSuccess?.RejectedLogRecords ?? 0;
    }

    // gRPC over HTTP/2: a flag byte (not compressed), the length in 32 big-endian bits, the message.
    static byte[] Frame(ExportLogsServiceRequest request)
    {
        int size = request.CalculateSize();
        byte[] frame = new byte[5 + size];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), size);
        request.WriteTo(frame.AsSpan(5));
        return frame;
    }

    static ExportLogsServiceResponse Read(byte[] body)
    {
        if (body.Length < 5 || body[0] != 0 || BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(1)) != body.Length - 5)
            throw new AuditDeliveryException("the collector's answer is not one gRPC message");
        try
        {
            return ExportLogsServiceResponse.Parser.ParseFrom(body.AsSpan(5));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new AuditDeliveryException("the collector's answer cannot be read", e);
        }
    }

    static string? Header(HttpHeaders headers, string name) =>
        headers.TryGetValues(name, out IEnumerable<string>? values) ? values.First() : null;

    internal static ResourceLogs Resource(IReadOnlyList<AuditRecord> records)
    {
        Resource resource = new();
        resource.Attributes.Add(Pair("service.name", "talos-audit"));
        resource.Attributes.Add(Pair("host.name", records[0].Entry.Node));
        string schema = EntrySchema.Version.ToString(CultureInfo.InvariantCulture);
        ScopeLogs scope = new() { Scope = new InstrumentationScope { Name = "Talos.Audit", Version = schema } };
        foreach (AuditRecord record in records) scope.LogRecords.Add(Log(record));
        return new ResourceLogs { Resource = resource, ScopeLogs = { scope } };
    }

    static LogRecord Log(AuditRecord record)
    {
        Entry entry = record.Entry;
        LogRecord log = new()
        {
            TimeUnixNano = (ulong)entry.WallTimeUnixNanos,
            ObservedTimeUnixNano = (ulong)entry.WallTimeUnixNanos,
            EventName = "talos.audit." + AuditFilter.KindName(entry.Kind).Replace('-', '_'),
            Body = new AnyValue { StringValue = AuditEntryJson.ToJson(record) },
        };
        // INFO is 9, WARN 13, ERROR 17.
        (log.SeverityNumber, log.SeverityText) = AuditFormats.Severity(entry) switch
        {
            >= 4 => (17, "ERROR"),
            3 => (13, "WARN"),
            2 => (10, "INFO2"),
            _ => (9, "INFO"),
        };
        log.Attributes.Add(new KeyValue { Key = "talos.audit.index", Value = new AnyValue { IntValue = (long)record.Index } });
        Attribute(log, "enduser.id", entry.Caller?.Name);
        Attribute(log, "client.address", CefEvent.SourceOf(entry).Host);
        Attribute(log, "rpc.method", entry.Method);
        Attribute(log, "talos.audit.decision", AuditFilter.EffectName(entry.Decision?.Effect ?? Effect.Unspecified));
        Attribute(log, "talos.audit.reason_id", entry.Decision?.ReasonId);
        Attribute(log, "talos.audit.status", entry.Outcome?.Status);
        return log;
    }

    static void Attribute(LogRecord log, string key, string? value)
    {
        if (!string.IsNullOrEmpty(value)) log.Attributes.Add(Pair(key, value));
    }

    static KeyValue Pair(string key, string value) => new() { Key = key, Value = new AnyValue { StringValue = value } };

    /// <inheritdoc />
    public override ValueTask CommitAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc />
    public override void Reset()
    {
        // Each batch stands for itself.
    }

    /// <inheritdoc />
    public override ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }
}
