using Talos.Cluster;
using Talos.EndToEnd.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(ProcessCluster))]

namespace Talos.EndToEnd.Tests;

/// <summary>A control plane and a worker as processes, started once for all tests.</summary>
public sealed class ProcessCluster : IDisposable
{
    readonly OsctlProgram _osctl = new();
    readonly Lazy<int> _port;

    public ProcessCluster() => _port = new Lazy<int>(Start);

    internal OsctlProgram Osctl
    {
        get
        {
            _ = Port;
            return _osctl;
        }
    }

    internal int Port => _port.Value;

    internal string Folder => Path.Combine(_osctl.Home, ".talos", "clusters", "demo");

    internal ClusterRecord Record => ClusterRecord.TryLoad(Folder) ?? throw new InvalidOperationException("the cluster has no record");

    /// <summary>Starts what does not run, as a person would.</summary>
    internal Printed Create() => Create(_port.Value);

    public void Dispose()
    {
        if (_port.IsValueCreated) _osctl.Run("cluster", "destroy");
        _osctl.Dispose();
    }

    int Start()
    {
        var port = OsctlProgram.FreePorts();
        Create(port);
        return port;
    }

    Printed Create(int port) => _osctl.Succeed("cluster", "create", "--provisioner", "process", "--nodes", "2", "--listen-base", $"{port}", "--bin", Executables(_osctl.Home), "--policy", Path.Combine(OsctlProgram.Root, "policy", "bundle"));

    internal static string Executables(string home)
    {
        var folder = Path.Combine(home, "bin");
        Directory.CreateDirectory(folder);
        foreach (var name in (string[])["machined", "osd", "trustd"])
        {
            var link = Path.Combine(folder, name);
            if (!File.Exists(link)) File.CreateSymbolicLink(link, OsctlProgram.Executable("Talos.Services", "talosd"));
        }
        return folder;
    }
}
