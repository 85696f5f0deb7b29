using Talos.Api.Configuration;
using Xunit;

namespace Talos.Osctl.Tests;

public sealed class GenerateTests : IDisposable
{
    readonly Fixture _osctl = new();

    public void Dispose() => _osctl.Dispose();

    [Fact]
    public async Task Accepts_configurations_that_the_machine_reads_and_that_belong_together()
    {
        var folder = Path.Combine(_osctl.Home, "made");
        Assert.Equal(0, await _osctl.RunAsync("gen", "config", "demo", "--controlplane", "10.0.0.1", "--workers", "3", "--output-dir", folder));

        Assert.Equal(0, await _osctl.RunAsync("validate", Path.Combine(folder, "controlplane.yaml"), Path.Combine(folder, "worker.yaml")));
        var controlPlane = MachineConfiguration.Parse(File.ReadAllText(Path.Combine(folder, "controlplane.yaml")), "c").RequireValue();
        var worker = MachineConfiguration.Parse(File.ReadAllText(Path.Combine(folder, "worker.yaml")), "w").RequireValue();
        Assert.True(TokenSecret.TryParse(File.ReadAllText(Path.Combine(folder, "admin.token")), out var admin));

        var (client, node) = (controlPlane.Trust.Bootstrap[0], controlPlane.Trust.Bootstrap[1]);
        Assert.Equal(admin.Verifier().ToArray(), client.Verifier.ToArray());
        Assert.Equal(worker.Trust.Token!.Verifier().ToArray(), node.Verifier.ToArray());
        Assert.Equal(3u, node.Uses);
        Assert.Equal([new Endpoint("10.0.0.1", 50001)], worker.Trust.Endpoints);
        Assert.All(Directory.GetFiles(folder), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        Assert.DoesNotContain(admin.Reveal(), File.ReadAllText(Path.Combine(folder, "controlplane.yaml")));

        Assert.Equal(ExitCode.NotAsked, await _osctl.RunAsync("gen", "config", "demo", "--controlplane", "10.0.0.1", "--output-dir", folder));
        Assert.Contains("is there already", _osctl.Error);
    }

    [Fact]
    public async Task Rejects_a_configuration_with_every_mistake_and_its_place()
    {
        var file = _osctl.Write("machine.yaml", "version: v1alpha1\ncluster: demo\nmachine:\n  type: worker\n  hostnme: a\n");
        Assert.Equal(ExitCode.NotInOrder, await _osctl.RunAsync("validate", file));
        Assert.Contains($"{file}:5:3: unknown field `hostnme`\n  hint: did you mean `hostname`?", _osctl.Error);
        Assert.Contains("a worker needs `trust.endpoints`, and `trust.token` or `trust.caBundle`", _osctl.Error);
    }
}
