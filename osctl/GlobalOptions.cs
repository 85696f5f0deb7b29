using System.CommandLine;
using System.CommandLine.Parsing;
using Talos.Osctl.Output;

namespace Talos.Osctl;

/// <summary>Options that every command takes.</summary>
static class GlobalOptions
{
    public static readonly Option<string[]> Nodes = new("--nodes", "-n", "--node")
    {
        Description = "Nodes to ask: names from the context, or addresses; several with commas",
        HelpName = "NODE,…",
        Recursive = true,
    };

    public static readonly Option<string[]> Endpoints = new("--endpoints", "-e")
    {
        Description = "Where nodes answer, in place of the context's: HOST[:PORT] or NAME=HOST[:PORT]",
        HelpName = "ADDRESS,…",
        Recursive = true,
    };

    public static readonly Option<string> Via = new("--via")
    {
        Description = "Reach the other nodes through this one: a name from the context, or an address; `direct` for none",
        HelpName = "NODE",
        Recursive = true,
    };

    public static readonly Option<OutputFormat> Output = new("--output", "-o")
    {
        Description = "How to print: table, wide, json or yaml",
        HelpName = "FORMAT",
        Recursive = true,
        CustomParser = result => result.Tokens[^1].Value switch
        {
            "table" => OutputFormat.Table,
            "wide" => OutputFormat.Wide,
            "json" => OutputFormat.Json,
            "yaml" => OutputFormat.Yaml,
            var other => Refuse(result, $"`{other}` is no output format: use `table`, `wide`, `json` or `yaml`"),
        },
    };

    public static readonly DurationOption Timeout = new("--timeout", "How long a node may take to answer", "30s", recursive: true);

    public static readonly Option<string> TalosConfig = new("--talosconfig")
    {
        Description = "File of contexts; otherwise TALOSCONFIG, otherwise ~/.talos/config",
        HelpName = "FILE",
        Recursive = true,
    };

    public static readonly Option<string> Context = new("--context")
    {
        Description = "Context to work in; otherwise the current one",
        HelpName = "NAME",
        Recursive = true,
    };

    public static IReadOnlyList<Option> All { get; } = [Nodes, Endpoints, Via, Output, Timeout, TalosConfig, Context];

    static GlobalOptions()
    {
        // The enum's own names are no words of ours.
        Output.CompletionSources.Clear();
        Output.CompletionSources.Add("table", "wide", "json", "yaml");
    }

    static OutputFormat Refuse(ArgumentResult result, string message)
    {
        result.AddError(message);
        return OutputFormat.Table;
    }
}
