using System.Globalization;
using Talos.Linux.Processes;

namespace Talos.Linux.Supervision;

/// <summary>A fixed set of services, in the order in which they start; they stop in the reverse order.</summary>
public sealed class Supervisor : IDisposable
{
    readonly List<SupervisedService> _services = [];

    /// <param name="logDirectory">Must exist. Each service writes <c>ID.log</c> there.</param>
    /// <param name="lineWritten">Called with a service's id and each line it writes.</param>
    public Supervisor(
        IEnumerable<ServiceSpecification> services, Reaper reaper, string logDirectory, TimeProvider clock, Action<string, string>? lineWritten = null)
    {
        foreach (var service in services)
        {
            var log = new ServiceLog(logDirectory, service.Id, clock, lineWritten is null ? null : line => lineWritten(service.Id, line));
            _services.Add(new SupervisedService(service, reaper, log, clock));
        }
    }

    /// <summary>Every service, in starting order.</summary>
    public IReadOnlyList<ServiceStatus> List() => _services.ConvertAll(service => service.Status);

    public bool Knows(string id) => _services.Exists(service => service.Status.Id == id);

    /// <summary>Wants the service from now on; completes with its process.</summary>
    /// <exception cref="LinuxException">The process could not be started. It is tried again nevertheless.</exception>
    public Task<int> StartAsync(string id) => Find(id).StartAsync();

    /// <summary>SIGTERM, then SIGKILL after the timeout; completes when the process has ended.</summary>
    public Task StopAsync(string id) => Find(id).StopAsync();

    /// <summary>Stops and starts; completes with the new process.</summary>
    public Task<int> RestartAsync(string id, TimeSpan? stopTimeout = null) => Find(id).RestartAsync(stopTimeout);

    /// <summary>Stops every service, the last started first; each gets its own timeout.</summary>
    public async Task StopAllAsync()
    {
        for (var i = _services.Count - 1; i >= 0; i--)
            await _services[i].StopAsync();
    }

    public void Dispose() => _services.ForEach(service => service.Dispose());

    SupervisedService Find(string id) =>
        _services.Find(service => service.Status.Id == id)
        ?? throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"unknown service `{id}`"), nameof(id));
}
