using System.CommandLine;

namespace Talos.Osctl;

/// <summary>A command with examples in its help.</summary>
sealed class Verb : Command
{
    public Verb(string name, string description, params string[] examples) : base(name, description) => Examples = examples;

    public IReadOnlyList<string> Examples { get; }

    /// <summary>What the command does.</summary>
    public Func<Invocation, Task<int>>? Run { get; init; }

    public IReadOnlyList<string> OtherNames { init { foreach (var name in value) Aliases.Add(name); } }
}
