using Talos.Linux;
using Talos.Linux.Kernel;
using Talos.Linux.Supervision;

namespace Talos.Machined.Services;

/// <summary>Services as children of machined, where there is no init. The machine's end is that of the services only.</summary>
sealed class LocalServices(Supervisor supervisor, Action powerOff) : IServiceControl
{
    public Task<IReadOnlyList<ServiceStatus>> ListAsync(CancellationToken stop) => Task.FromResult(supervisor.List());

    public Task<int> StartAsync(string id, CancellationToken stop) => TranslateAsync(id, () => supervisor.StartAsync(id));

    public Task<int> RestartAsync(string id, TimeSpan? stopTimeout, CancellationToken stop) =>
        TranslateAsync(id, () => supervisor.RestartAsync(id, stopTimeout));

    public Task EndAsync(MachineEnd end, CancellationToken stop)
    {
        if (end == MachineEnd.PowerOff)
            powerOff();
        else
            _ = RestartAllAsync();
        return Task.CompletedTask;
    }

    async Task RestartAllAsync()
    {
        var wanted = supervisor.List().Where(service => service.State is not (ServiceState.Waiting or ServiceState.Stopped)).Select(service => service.Id).ToList();
        await supervisor.StopAllAsync();
        foreach (var id in wanted)
        {
            try
            {
                await supervisor.StartAsync(id);
            }
            catch (LinuxException e)
            {
                // The supervisor tries again; its status tells.
                Journal.Write(e.Message);
            }
        }
    }

    async Task<int> TranslateAsync(string id, Func<Task<int>> operation)
    {
        if (!supervisor.Knows(id))
            throw new ServiceControlException($"unknown service `{id}`");
        try
        {
            return await operation();
        }
        catch (LinuxException e)
        {
            throw new ServiceControlException(e.Message);
        }
    }
}
