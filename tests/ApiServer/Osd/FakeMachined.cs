using System.Collections.Concurrent;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Talos.Api.Compliance.V1;
using Talos.Api.Machine.V1;

namespace Talos.Api.Server.Tests.Osd;

/// <summary>machined's side of the socket.</summary>
sealed class FakeMachined : MachineService.MachineServiceBase, IAsyncDisposable
{
    WebApplication application = null!;

    public TaskCompletionSource StreamEnded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<FakeMachined> StartAsync(string socket)
    {
        var machined = new FakeMachined();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(machined).AddSingleton<Compliance>();
        builder.Services.AddGrpc();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.ListenUnixSocket(socket, l => l.Protocols = HttpProtocols.Http2));
        machined.application = builder.Build();
        machined.application.MapGrpcService<FakeMachined>();
        machined.application.MapGrpcService<Compliance>();
        await machined.application.StartAsync();
        return machined;
    }

    public override Task<VersionResponse> Version(VersionRequest request, ServerCallContext context) =>
        Task.FromResult(new VersionResponse { Hostname = "cp-1", Stage = MachineStage.Running, Tag = "not osd's" });

    public override Task<ServiceRestartResponse> ServiceRestart(ServiceRestartRequest request, ServerCallContext context) =>
        throw new RpcException(
            new Status(StatusCode.NotFound, $"there is no service `{request.Id}`"),
            new Metadata { { RefusalException.ReasonTrailer, "no-such-service" }, { RefusalException.HintTrailer, "`osctl services` shows them" }, { "internal", "detail" } });

    public override async Task Logs(LogsRequest request, IServerStreamWriter<LogChunk> responseStream, ServerCallContext context)
    {
        await responseStream.WriteAsync(new LogChunk { Data = ByteString.CopyFromUtf8(request.Id) });
        if (!request.Follow) return;
        try
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }
        catch (OperationCanceledException)
        {
            StreamEnded.TrySetResult();
        }
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();

    /// <summary>What the monitor says: each is told to whoever watches, in order.</summary>
    public Channel<WatchResponse> News { get; private set; } = Channel.CreateUnbounded<WatchResponse>();

    /// <summary>What osd said it had seen, each time it came.</summary>
    public ConcurrentQueue<WatchRequest> Watched { get; } = new();

    /// <summary>Ends the stream of whoever watches.</summary>
    public void BreakNews()
    {
        var old = News;
        News = Channel.CreateUnbounded<WatchResponse>();
        old.Writer.Complete();
    }

    sealed class Compliance(FakeMachined machined) : ComplianceService.ComplianceServiceBase
    {
        public override Task<ReportResponse> Report(ReportRequest request, ServerCallContext context) =>
            Task.FromResult(new ReportResponse { Results = { new CheckResult { Benchmark = request.Benchmark, Verdict = Verdict.Fail } } });

        public override Task<HistoryResponse> History(HistoryRequest request, ServerCallContext context) =>
            Task.FromResult(new HistoryResponse { Scans = { new Scan { Cause = "start" } } });

        public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchResponse> responseStream, ServerCallContext context)
        {
            machined.Watched.Enqueue(request);
            await foreach (var news in machined.News.Reader.ReadAllAsync(context.CancellationToken)) await responseStream.WriteAsync(news, context.CancellationToken);
        }
    }
}
