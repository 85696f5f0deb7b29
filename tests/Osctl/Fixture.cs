using System.Text;
using Talos.Osctl;

namespace Talos.Osctl.Tests;

/// <summary>Runs osctl in this process, in a home folder of its own.</summary>
sealed class Fixture : IDisposable
{
    readonly StringWriter _output = new();
    readonly StringWriter _error = new();
    readonly MemoryStream _bytes = new();

    public string Home { get; } = Directory.CreateTempSubdirectory("osctl-test-").FullName;

    public string ConfigPath => Path.Combine(Home, ".talos", "config");

    public string Output => _output.ToString();

    public string Error => _error.ToString();

    public async Task<int> RunAsync(params string[] args)
    {
        _output.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        return await CommandLine.RunAsync(args, new Terminal
        {
            Output = _output,
            Error = _error,
            Bytes = _bytes,
            Environment = name => name == "HOME" ? Home : null,
            Time = TimeProvider.System,
        });
    }

    public string Write(string name, string text)
    {
        var path = Path.Combine(Home, name);
        File.WriteAllText(path, text, new UTF8Encoding(false));
        return path;
    }

    public void Dispose() => Directory.Delete(Home, recursive: true);
}
