using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Machine.V1;

namespace Talos.Api.Server.Tests;

/// <summary>Handlers whose behaviour the tests choose.</summary>
sealed class TestMachine : MachineService.MachineServiceBase
{
    int handled;

    /// <summary>How many handlers were entered.</summary>
    public int Handled => Volatile.Read(ref handled);

    /// <summary>Released once for each chunk that Dmesg may send.</summary>
    public SemaphoreSlim Chunks { get; } = new(0);

    public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task<VersionResponse> Version(VersionRequest request, ServerCallContext context)
    {
        Enter();
        ServedCall.Of(context).Note("seen", "yes");
        return Task.FromResult(new VersionResponse { Tag = "v1" });
    }

    public override Task<RebootResponse> Reboot(RebootRequest request, ServerCallContext context)
    {
        Enter();
        return Task.FromResult(new RebootResponse());
    }

    public override Task<MemoryResponse> Memory(MemoryRequest request, ServerCallContext context)
    {
        Enter();
        throw new InvalidOperationException("the secret path is /state/secret");
    }

    public override Task<StatsResponse> Stats(StatsRequest request, ServerCallContext context)
    {
        Enter();
        throw new RefusalException(RefusalReason.NotFound, "there is no `x`") { Id = "no-x", Hint = "try `y`" };
    }

    public override async Task<TimeResponse> Time(TimeRequest request, ServerCallContext context)
    {
        Enter();
        await Task.Delay(Timeout.Infinite, context.CancellationToken);
        return new TimeResponse();
    }

    public override async Task Dmesg(DmesgRequest request, IServerStreamWriter<LogChunk> responseStream, ServerCallContext context)
    {
        Enter();
        var number = 0;
        while (true)
        {
            await Chunks.WaitAsync(context.CancellationToken);
            await responseStream.WriteAsync(new LogChunk { Data = ByteString.CopyFromUtf8($"{number++}\n") }, context.CancellationToken);
        }
    }

    void Enter()
    {
        Interlocked.Increment(ref handled);
        Entered.TrySetResult();
    }
}
