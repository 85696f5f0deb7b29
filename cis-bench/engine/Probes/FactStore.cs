using Talos.Checks.Kernel;

namespace Talos.Checks.Probes;

/// <summary>The facts of one scan: each file is read once, when the first check asks for it.</summary>
sealed partial class FactStore(ProbeRoot root, TimeProvider time)
{
    readonly Dictionary<(string Probe, string Arguments), Reading> _readings = [];

    public ProbeRoot Root => root;

    public RootFiles Files { get; } = new(root.Path);

    public DateTimeOffset Now { get; } = time.GetUtcNow();

    public bool IsNode => root.Target == ScanTargets.Node;

    public Reading Read(ProbeDefinition probe, IReadOnlyList<string> arguments)
    {
        var key = KeyOf(probe, arguments);
        if (_readings.TryGetValue(key, out var reading)) return reading;
        if ((probe.Targets & root.Target) == 0)
            reading = Reading.Unreadable(probe.Name, $"a target of this kind ({root.Target}) has no such fact");
        else
            reading = probe.Read(this, arguments);
        _readings.Add(key, reading);
        return reading;
    }

    /// <summary>States a fact instead of reading it. For tests of rules.</summary>
    internal void Preset(ProbeDefinition probe, IReadOnlyList<string> arguments, Reading reading) => _readings[KeyOf(probe, arguments)] = reading;

    static (string, string) KeyOf(ProbeDefinition probe, IReadOnlyList<string> arguments) =>
        (probe.Name, arguments.Count == 1 ? arguments[0] : string.Join('\n', arguments));
}
