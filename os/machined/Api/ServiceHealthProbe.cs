using Talos.Api.Machine.V1;
using Talos.Linux.Supervision;
using ServiceState = Talos.Linux.Supervision.ServiceState;

namespace Talos.Machined.Api;

/// <summary>What can be said of a service's health from outside, without disturbing it.</summary>
static class ServiceHealthProbe
{
    /// <summary>How long a process must have run before nothing being wrong counts as health.</summary>
    static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    internal static ServiceHealth Of(ServiceStatus status, DateTimeOffset now) => status.State switch
    {
        ServiceState.BackOff => ServiceHealth.Failing,
        ServiceState.Running when now - status.LastChange >= Settled => ServiceHealth.Ok,
        _ => ServiceHealth.Unknown,
    };
}
