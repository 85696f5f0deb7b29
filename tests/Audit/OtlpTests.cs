using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Talos.Audit.Tests.Collector;
using Xunit;

namespace Talos.Audit.Tests;

// A collector in this process, by the gRPC library and the protocol's own names.
sealed class CollectorService : LogsService.LogsServiceBase
{
    public List<LogRecord> Records { get; } = [];

    public int FailuresLeft { get; set; }

    public override Task<ExportLogsServiceResponse> Export(ExportLogsServiceRequest request, ServerCallContext context)
    {
        if (FailuresLeft-- > 0) throw new RpcException(new Status(StatusCode.Unavailable, "come back later"));
        foreach (ResourceLogs resource in request.ResourceLogs)
        {
            Assert.Contains(resource.Resource.Attributes, static a => a.Key == "service.name" && a.Value.StringValue == "talos-audit");
            Records.AddRange(resource.ScopeLogs.SelectMany(static s => s.LogRecords));
        }
        return Task.FromResult(new ExportLogsServiceResponse());
    }
}

public sealed class OtlpTests
{
    [Fact]
    public async Task Accepts_every_entry_in_a_collector_that_fails_at_first()
    {
        CollectorService collector = new() { FailuresLeft = 2 };
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static k => k.Listen(System.Net.IPAddress.Loopback, 0, static l => l.Protocols = HttpProtocols.Http2));
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(collector);
        await using WebApplication app = builder.Build();
        app.MapGrpcService<CollectorService>();
        await app.StartAsync();
        string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

        using LogFolder folder = new();
        await using AuditLog log = folder.Open();
        for (int i = 0; i < 700; i++) await log.AppendAsync(LogFolder.Opened(i));
        await using OtlpSink sink = new(new Uri(address), new SocketsHttpHandler());
        using AuditExporter exporter = new(log, sink, new ExportCursor(Path.Combine(folder.Path, "cursor")),
            new AuditExporterOptions { MinBackoff = TimeSpan.FromMilliseconds(1) });
        using CancellationTokenSource stop = new();
        Task run = exporter.RunAsync(stop.Token);
        while (exporter.Lag != 0) await Task.Yield();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);

        Assert.Equal(2, exporter.Failures);
        Assert.Equal(Enumerable.Range(0, 700).Select(static i => (long)i), collector.Records.Select(static r => r.Attributes.Single(static a => a.Key == "talos.audit.index").Value.IntValue).Distinct());
        LogRecord record = collector.Records[0];
        Assert.Equal("talos.audit.call_opened", record.EventName);
        Assert.Equal(9, record.SeverityNumber);
        Assert.Contains("\"caller\":{\"name\":\"alice\"", record.Body.StringValue, StringComparison.Ordinal);
        await app.StopAsync();
    }
}
