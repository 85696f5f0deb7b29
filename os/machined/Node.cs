using Talos.Api.Configuration;
using Talos.Api.Machine.V1;

namespace Talos.Machined;

/// <summary>What machined knows of the machine it works for.</summary>
sealed class Node
{
    MachineStage _stage = MachineStage.Booting;

    /// <summary>Null in maintenance.</summary>
    internal MachineConfiguration? Configuration { get; private set; }

    internal string HostName { get; set; } = "talos";

    /// <summary>The kernel reads the hardware clock at boot; nothing corrects it afterwards.</summary>
    internal string ClockSource { get; init; } = "rtc";

    internal MachineStage Stage => _stage;

    internal string MaintenanceReason { get; private set; } = "";

    internal MachineType Type => Configuration?.Machine.Type ?? MachineType.Unspecified;

    internal void Configured(MachineConfiguration configuration)
    {
        Configuration = configuration;
        HostName = configuration.Machine.HostName;
    }

    /// <summary>The first reason stands: later ones follow from it.</summary>
    internal void Maintain(string reason)
    {
        // One sentence: errors and hints come a line each.
        if (MaintenanceReason.Length == 0)
            MaintenanceReason = string.Join("; ", reason.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        _stage = MachineStage.Maintenance;
    }

    internal void Run()
    {
        if (_stage == MachineStage.Booting)
            _stage = MachineStage.Running;
    }

    internal void Stopping() => _stage = MachineStage.Stopping;
}
