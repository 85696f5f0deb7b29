namespace Talos.Policy;

/// <summary>What a node's live reading says of it. Zero is a node of which nobody knows: a rule that asks for a clean one refuses it.</summary>
public enum DriftState
{
    /// <summary>Nothing has been heard from the monitor, or not for as long as it may be silent.</summary>
    Unknown = 0,

    /// <summary>At least one watched fact is not as it was when the node had started.</summary>
    Drifted,

    /// <summary>Everything that is watched is as it was when the node had started.</summary>
    Clean,
}

/// <summary>A fact that drifted and has not returned, as rules see it.</summary>
/// <param name="Kind"><c>sysctl</c>, <c>mount</c>, <c>module</c>, <c>mode</c>, <c>port</c>.</param>
/// <param name="Subject">Which one: <c>kernel.sysrq</c>, <c>/mnt</c>, <c>tcp 0.0.0.0:22</c>.</param>
/// <param name="Since">When it was found; nanoseconds since 1970 in rules.</param>
public sealed record DriftedFact(string Kind, string Subject, DateTimeOffset Since);

/// <summary>The node's live reading: <c>input.node.compliance</c> with <c>state</c>, <c>drift</c> and <c>benchmarks</c>. Immutable.</summary>
/// <param name="State">A word in rules: <c>clean</c>, <c>drifted</c>, <c>unknown</c>.</param>
/// <param name="Drift">What drifted and has not returned.</param>
/// <param name="Benchmarks">The last verdict of each catalogue: <c>kspp</c> → <c>pass</c>, <c>fail</c> or <c>unknown</c>; waived findings do not count.</param>
public sealed record NodeCompliance(DriftState State, IReadOnlyList<DriftedFact> Drift, IReadOnlyDictionary<string, string> Benchmarks)
{
    Value? _document;

    public static NodeCompliance Unknown { get; } = new(DriftState.Unknown, [], new Dictionary<string, string>());

    // One document for all the calls that see the same reading.
    internal Value Document => _document ??= ObjectValue.From(
        ("state", Value.From(State switch { DriftState.Clean => "clean", DriftState.Drifted => "drifted", _ => "unknown" })),
        ("drift", new ArrayValue([.. Drift.Select(d => ObjectValue.From(
            ("kind", Value.From(d.Kind)), ("subject", Value.From(d.Subject)), ("since", Value.From((d.Since - DateTimeOffset.UnixEpoch).Ticks * 100))))])),
        ("benchmarks", ObjectValue.From([.. Benchmarks.Select(p => new KeyValuePair<Value, Value>(Value.From(p.Key), Value.From(p.Value)))])));
}
