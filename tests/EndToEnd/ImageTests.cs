using System.Text.Json.Nodes;
using Talos.Cluster;
using Talos.Cluster.Provisioning;
using Xunit;

namespace Talos.EndToEnd.Tests;

/// <summary>The image itself, from the power switch to the record.</summary>
[Collection("image")]
public sealed class ImageTests(ImageCluster cluster)
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public void Accepts_the_tour_of_two_nodes_of_which_one_joined_over_the_network()
    {
        ImageCluster.Require();
        var servers = cluster.Osctl.Succeed("version", "-n", "cp-1,worker-1", "-o", "json").Json["servers"]!.AsArray();
        Assert.Equal(["MACHINE_TYPE_CONTROLPLANE", "MACHINE_TYPE_WORKER"], servers.Select(s => (string?)s!["machine_type"]));
        Assert.All(servers, s => Assert.Equal("MACHINE_STAGE_RUNNING", (string?)s!["stage"]));
        Assert.Equal(["cp-1", "worker-1"], servers.Select(s => (string?)s!["hostname"]));

        var services = cluster.Osctl.Succeed("services", "-n", "cp-1,worker-1", "-o", "json").Json.AsArray();
        Assert.Equal("machined=RUNNING osd=RUNNING trustd=RUNNING", States(services[0]!));
        // Every image holds trustd; only a control plane starts it.
        Assert.Equal("machined=RUNNING osd=RUNNING trustd=WAITING", States(services[1]!));

        foreach (var command in (string[])["ps", "stats", "mounts", "df", "memory", "time", "interfaces"])
            Assert.Contains("\nworker-1 ", cluster.Osctl.Succeed(command, "-n", "cp-1,worker-1").Output);
        Assert.Contains("Linux version", cluster.Osctl.Succeed("dmesg").Output);
        Assert.NotEmpty(cluster.Osctl.Succeed("logs", "trustd", "--tail", "5").Output);
        Assert.Contains("verified", cluster.Osctl.Succeed("audit", "verify", "-n", "cp-1,worker-1").Output);
    }

    [Fact]
    public void Survives_a_service_that_is_stopped_and_started()
    {
        ImageCluster.Require();
        var before = Pid("trustd");
        cluster.Osctl.Succeed("restart", "trustd");
        Assert.NotEqual(before, Pid("trustd"));
        cluster.Osctl.SucceedWithin(Patience, _ => true, "token", "list");

        int Pid(string id) => cluster.Osctl.Succeed("services", "-o", "json").Json[0]!["services"]!.AsArray().Where(s => (string?)s!["id"] == id).Select(s => (int)s!["pid"]!).Single();
    }

    [Fact]
    public void Survives_a_reboot_with_its_state()
    {
        ImageCluster.Require();
        cluster.Osctl.Succeed("audit", "verify", "-n", "worker-1");
        var before = NodeCertificates("worker-1");
        Assert.Contains("restarted", cluster.Osctl.Succeed("reboot", "-n", "worker-1", "--wait", "--timeout", "5m").Output);
        // The same key and certificate: it did not have to join again. And the same record, longer.
        Assert.Equal(before, NodeCertificates("worker-1"));
        Assert.Contains("verified", cluster.Osctl.Succeed("audit", "verify", "-n", "worker-1").Output);
    }

    /// <summary>QEMU is killed, as if the plug were pulled.</summary>
    [Fact]
    public void Survives_a_loss_of_power()
    {
        ImageCluster.Require();
        cluster.Osctl.Succeed("audit", "verify", "-n", "cp-1");
        var before = Serials();
        var plan = cluster.Record.Plan;
        cluster.Record.Running(plan.Nodes[0])!.Kill();
        SpinWait.SpinUntil(() => cluster.Record.Running(plan.Nodes[0]) is null, TimeSpan.FromSeconds(30));
        Assert.Null(cluster.Record.Running(plan.Nodes[0]));

        cluster.Create();
        Assert.Contains("verified", cluster.Osctl.Succeed("audit", "verify", "-n", "cp-1").Output);
        Assert.Subset(Serials(), before);
    }

    [Fact]
    public async Task Rejects_a_bad_configuration_and_tells_where_from_maintenance()
    {
        ImageCluster.Require();
        var plan = ClusterPlan.Create("bad", Provisioner.Qemu, Path.Combine(cluster.Home, "bad"), 1, OsctlProgram.FreePorts() + 7);
        var node = plan.Nodes[0];
        Directory.CreateDirectory(node.Folder);
        File.WriteAllText(node.ConfigurationFile, "version: v1alpha1\ncluster: bad\nmachine:\n  type: controlplane\n  hostnme: cp-1\n");
        var record = ClusterRecord.Open(plan);
        new QemuNodes(ImageCluster.Image, "tcg").Start(record, node);
        try
        {
            var printed = cluster.Osctl.SucceedWithin(Patience, p => p.Output.Contains("Server:", StringComparison.Ordinal), "version", "--insecure", "-e", node.Api.ToString(), "--timeout", "10s");
            Assert.Contains("maintenance", printed.Output);
            Assert.Contains(":5:3: unknown field `hostnme`", printed.Output);
        }
        finally
        {
            await record.StopAsync(TimeProvider.System, CancellationToken.None);
        }
    }

    static string States(JsonNode node) =>
        string.Join(' ', node["services"]!.AsArray().Select(s => $"{s!["id"]}={((string)s["state"]!)["SERVICE_STATE_".Length..]}").Order(StringComparer.Ordinal));

    string NodeCertificates(string name) => string.Join(' ', Certificates().Where(c => (string?)c["name"] == name).Select(c => (string?)c["serial"]));

    HashSet<string> Serials() => [.. Certificates().Select(c => (string)c["serial"]!)];

    IEnumerable<JsonNode> Certificates() => cluster.Osctl.Succeed("cert", "list", "-o", "json").Json["certificates"]!.AsArray().Select(c => c!);
}
