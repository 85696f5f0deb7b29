using System.CommandLine;
using Talos.Osctl.Commands;
using Xunit;

namespace Talos.Osctl.Tests;

public sealed class CommandLineTests : IDisposable
{
    readonly Fixture _osctl = new();

    public void Dispose() => _osctl.Dispose();

    [Theory]
    [InlineData("`osctl` knows no command `servces`", "did you mean `services`?", "servces")]
    [InlineData("`osctl reboot` knows no option `--wiat`", "did you mean `--wait`?", "reboot", "--wiat")]
    [InlineData("required command was not provided", "`osctl --help` shows how it is used")]
    [InlineData("`xml` is no output format: use `table`, `wide`, `json` or `yaml`", "`osctl version --help` shows how it is used", "version", "-o", "xml")]
    [InlineData("`soon` is no time: write `90s`, `5m`, `8h` or `1d12h`", "`osctl version --help` shows how it is used", "version", "--timeout", "soon")]
    [InlineData("there is no context to work in", "start a cluster with `osctl cluster create`, or add one with `osctl config add`", "services")]
    [InlineData("`docker` is no provisioner: use `qemu` or `process`", "`osctl cluster create --help` shows how it is used", "cluster", "create", "--provisioner", "docker")]
    public async Task Rejects_wrong_usage_with_one_sentence_and_a_hint(string message, string hint, params string[] args)
    {
        Assert.Equal(ExitCode.NotAsked, await _osctl.RunAsync(args));
        Assert.Equal($"error: {message}\nhint: {hint}\n", _osctl.Error);
        Assert.Equal("", _osctl.Output);
    }

    [Fact]
    public void Accepts_no_command_without_a_description_and_an_example()
    {
        var commands = All(Root()).OfType<Verb>().ToArray();
        Assert.True(commands.Length > 30);
        foreach (var verb in commands.Where(v => v.Run is not null))
        {
            Assert.False(string.IsNullOrWhiteSpace(verb.Description), verb.Name);
            Assert.NotEmpty(verb.Examples);
        }
        // `osctl compliance` asks nodes; `osctl compliance scan` and its like work on files.
        Assert.All(commands.Where(v => v.Name != "compliance"), v => Assert.True(v.Run is null != (v.Subcommands.Count == 0), $"{v.Name} either does something or holds commands"));
    }

    /// <summary>An example that does not parse would teach a mistake.</summary>
    [Fact]
    public void Accepts_only_examples_that_are_commands()
    {
        foreach (var example in All(Root()).OfType<Verb>().SelectMany(v => v.Examples))
        {
            var line = example.Split('#', '>')[0].Replace("source <(", "").Trim().TrimEnd(')').Replace("…", "00");
            var parse = Root().Parse(line[(line.IndexOf("osctl", StringComparison.Ordinal) + "osctl".Length)..]);
            Assert.True(parse.Errors.Count == 0, $"{example}: {string.Join("; ", parse.Errors.Select(e => e.Message))}");
        }
    }

    [Fact]
    public async Task Accepts_help_of_a_command_with_its_examples()
    {
        Assert.Equal(ExitCode.Done, await _osctl.RunAsync("logs", "--help"));
        Assert.Contains("osctl logs machined -f --tail 20", _osctl.Output);
    }

    [Theory]
    [InlineData("osctl ser", "service", "services")]
    [InlineData("osctl config us", "use")]
    [InlineData("osctl version -o ", "json", "table", "wide", "yaml")]
    [InlineData("osctl completion z", "zsh")]
    [InlineData("osctl logs --ta", "--tail", "--talosconfig")]
    public async Task Accepts_the_words_that_may_follow(string line, params string[] words)
    {
        Assert.Equal(ExitCode.Done, await _osctl.RunAsync("__complete", line));
        var found = _osctl.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(words, word => Assert.Contains(word, found));
        if (!line.EndsWith(' ')) Assert.All(found, word => Assert.StartsWith(line.Split(' ')[^1], word));
        Assert.DoesNotContain(found, word => word is "__complete" or "Json");
    }

    [Fact]
    public async Task Accepts_version_without_any_cluster()
    {
        Assert.Equal(ExitCode.Done, await _osctl.RunAsync("version"));
        Assert.StartsWith("Client:\n\tTag:         v", _osctl.Output);
        Assert.Contains("there is no context yet", _osctl.Error);
        Assert.Equal(ExitCode.Done, await _osctl.RunAsync("version", "--client", "-o", "json"));
        Assert.Equal("v", System.Text.Json.Nodes.JsonNode.Parse(_osctl.Output)!["client"]!["tag"]!.ToString()[..1]);
    }

    static RootCommand Root() => CommandLine.Build(new Terminal { Output = TextWriter.Null, Error = TextWriter.Null, Bytes = Stream.Null, Environment = _ => null, Time = TimeProvider.System });

    static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);
}
