using System.Globalization;

namespace Talos.Machined;

/// <summary>The command line of a machined without a machine.</summary>
sealed record StandaloneOptions(string Config, string State, string Run, string Binaries, string Policy, int ListenBase)
{
    const int DefaultListenBase = 50000;

    /// <summary>False without <c>--standalone</c>.</summary>
    /// <param name="error">Empty, or one sentence.</param>
    internal static bool TryParse(string[] arguments, out StandaloneOptions? options, out string error)
    {
        options = null;
        error = "";
        if (arguments is not ["--standalone", .. var rest])
        {
            error = arguments.Length == 0 ? "" : $"unknown argument `{arguments[0]}`";
            return false;
        }
        var values = new Dictionary<string, string>();
        for (var i = 0; i < rest.Length; i += 2)
        {
            if (rest[i] is not ("--config" or "--state" or "--run" or "--bin" or "--policy" or "--listen-base"))
                error = $"unknown argument `{rest[i]}`";
            else if (i + 1 == rest.Length)
                error = $"`{rest[i]}` needs a value";
            else
                values[rest[i]] = rest[i + 1];
        }
        foreach (var required in new[] { "--config", "--state", "--run" })
        {
            if (error.Length == 0 && !values.ContainsKey(required))
                error = $"`{required}` is missing";
        }
        var port = DefaultListenBase;
        if (values.TryGetValue("--listen-base", out var text)
            && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65535))
            error = $"`{text}` is no port";
        if (error.Length > 0)
            return false;
        options = new StandaloneOptions(
            Path.GetFullPath(values["--config"]),
            Path.GetFullPath(values["--state"]),
            Path.GetFullPath(values["--run"]),
            Path.GetFullPath(values.GetValueOrDefault("--bin", AppContext.BaseDirectory)),
            Path.GetFullPath(values.GetValueOrDefault("--policy", "/etc/talos/policy")),
            port);
        return true;
    }
}
