using Talos.Cluster;
using Talos.Cluster.Provisioning;
using Talos.EndToEnd.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(ImageCluster))]

namespace Talos.EndToEnd.Tests;

/// <summary>The image, booted once for all tests: a control plane and a worker in QEMU. Emulation is slow, so boots are few.</summary>
public sealed class ImageCluster : IDisposable
{
    readonly OsctlProgram _osctl = new();
    readonly Lazy<int> _port;

    public ImageCluster() => _port = new Lazy<int>(Start);

    internal static string Image { get; } = Path.Combine(OsctlProgram.Root, "out", "image");

    internal OsctlProgram Osctl
    {
        get
        {
            _ = _port.Value;
            return _osctl;
        }
    }

    internal string Home => _osctl.Home;

    internal string Folder => Path.Combine(_osctl.Home, ".talos", "clusters", "demo");

    internal ClusterRecord Record => ClusterRecord.TryLoad(Folder) ?? throw new InvalidOperationException("the cluster has no record");

    /// <summary>Skips where there is nothing to boot, and says so in capitals.</summary>
    internal static void Require()
    {
        Assert.SkipUnless(QemuNodes.Missing(Image) is null, "THERE IS NO IMAGE, NOTHING WAS BOOTED: run build/image.sh");
        Assert.SkipUnless(File.Exists("/usr/bin/qemu-system-x86_64"), "QEMU IS NOT INSTALLED, NOTHING WAS BOOTED: run build/prerequisites.sh");
    }

    internal Printed Create() => Create(_port.Value);

    public void Dispose()
    {
        if (_port.IsValueCreated) _osctl.Run("cluster", "destroy");
        _osctl.Dispose();
    }

    int Start()
    {
        var port = OsctlProgram.FreePorts() + 5;
        Create(port);
        return port;
    }

    Printed Create(int port) => _osctl.Succeed("cluster", "create", "--nodes", "2", "--listen-base", $"{port}", "--image", Image, "--wait-timeout", "5m");
}
