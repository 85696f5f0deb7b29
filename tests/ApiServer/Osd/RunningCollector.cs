using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Talos.Audit.Tests.Collector;

namespace Talos.Api.Server.Tests.Osd;

/// <summary>What a collector keeps when it is restarted.</summary>
sealed class CollectorService : LogsService.LogsServiceBase
{
    readonly List<LogRecord> records = [];
    TaskCompletionSource news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task<ExportLogsServiceResponse> Export(ExportLogsServiceRequest request, ServerCallContext context)
    {
        lock (records)
        {
            records.AddRange(request.ResourceLogs.SelectMany(r => r.ScopeLogs).SelectMany(s => s.LogRecords));
            news.SetResult();
            news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        return Task.FromResult(new ExportLogsServiceResponse());
    }

    /// <summary>The first that fits; waits for it.</summary>
    public async Task<LogRecord> UntilAsync(Func<LogRecord, bool> wanted)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            Task more;
            lock (records)
            {
                if (records.FirstOrDefault(wanted) is { } found) return found;
                more = news.Task;
            }
            await more.WaitAsync(patience.Token);
        }
    }

    /// <summary>The indexes of what came, each once, in the order of their coming.</summary>
    public List<int> Indexes()
    {
        lock (records) return [.. records.Select(r => (int)r.Attributes.First(a => a.Key == "talos.audit.index").Value.IntValue).Distinct()];
    }
}

/// <summary>A collector on the gRPC library, on a port of the loopback, until it is disposed of.</summary>
sealed class RunningCollector : IAsyncDisposable
{
    readonly WebApplication application;

    RunningCollector(WebApplication application) => this.application = application;

    public static async Task<RunningCollector> StartAsync(CollectorService collector, int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, port, l => l.Protocols = HttpProtocols.Http2));
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(collector);
        var application = builder.Build();
        application.MapGrpcService<CollectorService>();
        await application.StartAsync();
        return new RunningCollector(application);
    }

    public async ValueTask DisposeAsync()
    {
        await application.StopAsync();
        await application.DisposeAsync();
    }
}
