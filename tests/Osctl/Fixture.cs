using System.Security.Cryptography.X509Certificates;
using System.Text;
using Talos.Api.Configuration;
using Talos.Api.Server.Tests;
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

    /// <summary>Makes a context for someone whose certificate the authority issues.</summary>
    public void SpeakAs(TestAuthority authority, string name, string role, IReadOnlyDictionary<string, Endpoint> endpoints, string node, string? via = null)
    {
        var me = authority.Person(name, role).Certificate;
        using var key = me.GetECDsaPrivateKey()!;
        var context = new ClientContext
        {
            Endpoints = endpoints,
            Nodes = [node],
            Via = via,
            CaPem = authority.BundlePem,
            CertificatePem = me.ExportCertificatePem(),
            PrivateKeyPem = key.ExportPkcs8PrivateKeyPem(),
        };
        Directory.CreateDirectory(Path.GetDirectoryName(ConfigPath)!);
        File.WriteAllText(ConfigPath, new ClientConfiguration { Current = "demo", Contexts = new SortedDictionary<string, ClientContext> { ["demo"] = context } }.ToYaml());
    }

    /// <summary>Where a server of this test answers.</summary>
    public static Endpoint At(TestHost host) => new("127.0.0.1", host.Host.Endpoint.Port);

    public string Write(string name, string text)
    {
        var path = Path.Combine(Home, name);
        File.WriteAllText(path, text, new UTF8Encoding(false));
        return path;
    }

    public void Dispose() => Directory.Delete(Home, recursive: true);
}
