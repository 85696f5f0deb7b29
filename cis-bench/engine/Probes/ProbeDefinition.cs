namespace Talos.Checks.Probes;

/// <summary>Decides which operators make sense for what a probe reads.</summary>
enum ValueShape
{
    Text = 0,
    Mode,
    Version,

    /// <summary>There or not there.</summary>
    Presence,

    /// <summary>Any number of items; none is a proper answer.</summary>
    Items,
}

delegate Reading ProbeRead(FactStore facts, IReadOnlyList<string> arguments);

/// <param name="Choices">The words that the first argument may be; empty where it is free.</param>
sealed record ProbeDefinition(
    string Name, int Arguments, ValueShape Shape, ScanTargets Targets, ProbeRead Read, string Usage, params string[] Choices);
