using Talos.Linux.Kernel;
using Talos.Linux.Supervision;

namespace Talos.Machined.Services;

/// <summary>Whoever keeps the node's services running: init on a node, machined itself when it stands alone.</summary>
interface IServiceControl
{
    Task<IReadOnlyList<ServiceStatus>> ListAsync(CancellationToken stop);

    /// <exception cref="ServiceControlException">Unknown, or could not be started.</exception>
    Task<int> StartAsync(string id, CancellationToken stop);

    /// <exception cref="ServiceControlException">Unknown, or could not be started.</exception>
    Task<int> RestartAsync(string id, TimeSpan? stopTimeout, CancellationToken stop);

    /// <summary>Begins the end of the machine and returns.</summary>
    Task EndAsync(MachineEnd end, CancellationToken stop);
}

/// <summary>A request about services was refused; the message says why.</summary>
sealed class ServiceControlException(string message) : Exception(message);
