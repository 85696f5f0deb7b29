using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Machine.V1;
using Talos.Linux.Confinement;
using Talos.Linux.Kernel;
using Talos.Linux.Supervision;
using Talos.Machined.Services;
using WireState = Talos.Api.Machine.V1.ServiceState;

namespace Talos.Machined.Api;

sealed partial class MachineHandler
{
    const string SystemNamespace = "system";

    /// <summary>What osd needs to pass an answer on before either of us ends.</summary>
    static readonly TimeSpan AnswerGrace = TimeSpan.FromMilliseconds(250);

    public override async Task<ServiceListResponse> ServiceList(ServiceListRequest request, ServerCallContext context)
    {
        var response = new ServiceListResponse();
        foreach (var status in await ListAsync(context.CancellationToken))
        {
            response.Services.Add(new Service
            {
                Id = status.Id,
                State = ToWire(status.State),
                Health = ServiceHealthProbe.Of(status, clock.GetUtcNow()),
                LastChange = Timestamp.FromDateTimeOffset(status.LastChange),
                LastEvent = status.LastEvent,
                Pid = status.ProcessId,
                Restarts = (uint)status.Restarts,
            });
        }
        return response;
    }

    public override async Task<ServiceRestartResponse> ServiceRestart(ServiceRestartRequest request, ServerCallContext context)
    {
        var timeout = request.Timeout is { } given && given.ToTimeSpan() > TimeSpan.Zero ? given.ToTimeSpan() : (TimeSpan?)null;
        if (request.Id == "machined")
        {
            // It would end before it could answer, and has no state that a restart would clear.
            throw Refusal.Of(StatusCode.InvalidArgument, "`machined` answers this call and cannot restart itself");
        }
        if (request.Id == "osd")
        {
            // This very answer passes through it.
            context.GetHttpContext().Response.OnCompleted(() => RestartAsync(request.Id, timeout));
            return new ServiceRestartResponse();
        }
        try
        {
            return new ServiceRestartResponse { Pid = await services.RestartAsync(request.Id, timeout, context.CancellationToken) };
        }
        catch (ServiceControlException e)
        {
            throw Refusal.Of(StatusCode.FailedPrecondition, e.Message);
        }
    }

    public override Task<ProcessesResponse> Processes(ProcessesRequest request, ServerCallContext context)
    {
        var response = new ProcessesResponse();
        foreach (var process in ProcessTable.Read())
        {
            response.Processes.Add(new Process
            {
                Pid = process.ProcessId,
                Ppid = process.ParentId,
                State = process.State.ToString(),
                Threads = process.Threads,
                CpuTime = Duration.FromTimeSpan(process.CpuTime),
                VirtualMemory = process.VirtualBytes,
                ResidentMemory = process.ResidentBytes,
                Command = process.Command,
                Arguments = process.Arguments,
                Uid = process.User,
            });
        }
        return Task.FromResult(response);
    }

    public override async Task<StatsResponse> Stats(StatsRequest request, ServerCallContext context)
    {
        var response = new StatsResponse { TotalCpuTime = new Duration() };
        foreach (var (id, pid) in await SystemProcessesAsync(context.CancellationToken))
        {
            if (ProcessTable.TryRead(pid) is not { } process)
                continue;
            var used = Duration.FromTimeSpan(process.CpuTime);
            var memory = ControlGroup.TryReadMemory(id, pid) ?? process.ResidentBytes;
            response.Services.Add(new ServiceStats { Namespace = SystemNamespace, Id = id, Memory = memory, CpuTime = used });
            response.TotalMemory += memory;
            response.TotalCpuTime += used;
        }
        return response;
    }

    public override async Task<RebootResponse> Reboot(RebootRequest request, ServerCallContext context)
    {
        await EndAfterAnswerAsync(MachineEnd.Reboot, context);
        return new RebootResponse();
    }

    public override async Task<ShutdownResponse> Shutdown(ShutdownRequest request, ServerCallContext context)
    {
        await EndAfterAnswerAsync(MachineEnd.PowerOff, context);
        return new ShutdownResponse();
    }

    /// <summary>The services, init first where there is one, and machined itself where nobody lists it.</summary>
    async Task<IEnumerable<(string Id, int ProcessId)>> SystemProcessesAsync(CancellationToken stop)
    {
        var listed = (await ListAsync(stop)).Where(status => status.ProcessId > 0).Select(status => (status.Id, status.ProcessId)).ToList();
        if (listed.Exists(service => service.ProcessId == Environment.ProcessId))
            return listed.Prepend(("init", 1));
        return listed.Prepend(("machined", Environment.ProcessId));
    }

    async Task<IReadOnlyList<ServiceStatus>> ListAsync(CancellationToken stop)
    {
        try
        {
            return await services.ListAsync(stop);
        }
        catch (ServiceControlException e)
        {
            throw Refusal.Of(StatusCode.Unavailable, e.Message);
        }
    }

    /// <summary>The answer leaves first; what ends machined would end it too.</summary>
    Task EndAfterAnswerAsync(MachineEnd end, ServerCallContext context)
    {
        node.Stopping();
        context.GetHttpContext().Response.OnCompleted(() => EndAsync(end));
        return Task.CompletedTask;
    }

    async Task EndAsync(MachineEnd end)
    {
        await Task.Delay(AnswerGrace, clock);
        try
        {
            await services.EndAsync(end, CancellationToken.None);
        }
        catch (ServiceControlException e)
        {
            Journal.Write(e.Message);
        }
    }

    async Task RestartAsync(string id, TimeSpan? timeout)
    {
        await Task.Delay(AnswerGrace, clock);
        try
        {
            await services.RestartAsync(id, timeout, CancellationToken.None);
        }
        catch (ServiceControlException e)
        {
            Journal.Write(e.Message);
        }
    }

    static WireState ToWire(Linux.Supervision.ServiceState state) => state switch
    {
        Linux.Supervision.ServiceState.Running => WireState.Running,
        Linux.Supervision.ServiceState.BackOff => WireState.Backoff,
        Linux.Supervision.ServiceState.Stopping => WireState.Stopping,
        Linux.Supervision.ServiceState.Stopped => WireState.Stopped,
        _ => WireState.Waiting,
    };
}
