using System.CommandLine;

namespace Talos.Osctl;

/// <summary>An option that takes a time such as `90s` or `8h`.</summary>
sealed class DurationOption : Option<TimeSpan>
{
    public DurationOption(string name, string description, string standard, bool recursive = false) : base(name)
    {
        Standard = DurationText.TryParse(standard, out var value) ? value : throw new ArgumentException($"`{standard}` is no time", nameof(standard));
        Description = $"{description} [{standard}]";
        HelpName = "TIME";
        Recursive = recursive;
        CustomParser = result =>
        {
            if (DurationText.TryParse(result.Tokens[^1].Value, out var given)) return given;
            result.AddError($"`{result.Tokens[^1].Value}` is no time: write `90s`, `5m`, `8h` or `1d12h`");
            return default;
        };
    }

    /// <summary>What holds when the option is not given.</summary>
    public TimeSpan Standard { get; }
}
