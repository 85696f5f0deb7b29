using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Xunit;

namespace Talos.EndToEnd.Tests;

/// <summary>Policy pushed to running nodes, and what a second person has to do then.</summary>
[Collection("processes")]
public sealed partial class ProcessPolicyTests(ProcessCluster cluster) : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    readonly string folder = Directory.CreateTempSubdirectory("talos-policy-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Accepts_a_pushed_bundle_and_a_restart_that_another_person_approved()
    {
        var osctl = cluster.Osctl;
        var bob = Path.Combine(folder, "bob.talosconfig");
        osctl.Succeed("config", "new", "--name", "bob", "--roles", "os:operator", "--ttl", "1h", "--to", bob);
        var bundle = Copy();
        File.WriteAllText(Path.Combine(bundle, ".manifest"), """{"revision": "two-people"}""");
        File.WriteAllText(Path.Combine(bundle, "talos", "second_person", "data.json"), """{"critical": false, "methods": ["/talos.machine.v1.MachineService/ServiceRestart"]}""");
        var key = Path.Combine(folder, "key.pem");
        using (var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256)) File.WriteAllText(key, ec.ExportPkcs8PrivateKeyPem());

        var pushed = osctl.Succeed("policy", "push", bundle, "--sign-with", key, "-n", "cp-1,worker-1,trustd");
        try
        {
            Assert.Equal(3, Regex.Count(pushed.Output, @"in force +two-people"));

            var refused = osctl.Run("restart", "osd", "-n", "cp-1");
            Assert.Equal((3, true), (refused.Code, refused.Error.Contains("[needs_second_person]", StringComparison.Ordinal)));
            var id = ApprovePattern().Match(refused.Error).Groups[1].Value;
            Assert.Contains("[own-request]", osctl.Run("approve", id).Error, StringComparison.Ordinal);
            Assert.Matches($"cp-1 +{id} +ServiceRestart +admin .* id=osd", osctl.Succeed("approvals", "--talosconfig", bob).Output);
            Assert.Contains("ServiceRestart", osctl.Succeed("approve", id, "--talosconfig", bob).Output, StringComparison.Ordinal);

            // osd ends while it answers; that it was let do so is what counts, and that it comes back with the pushed policy.
            osctl.Run("restart", "osd", "-n", "cp-1");
            osctl.SucceedWithin(Patience, p => Regex.IsMatch(p.Output, @"cp-1 +two-people +pushed"), "policy", "status", "-n", "cp-1");
            var record = osctl.Succeed("audit", "list", "--method", "ServiceRestart", "-n", "cp-1", "-o", "json").Output;
            Assert.Contains("\"approved_by\": \"bob\"", record.Replace("\":\"", "\": \"", StringComparison.Ordinal), StringComparison.Ordinal);

            Assert.Contains("needs the approval", osctl.Run("can-i", "ServiceRestart", "--as", "otto", "--role", "os:operator", "-n", "worker-1").Output, StringComparison.Ordinal);
        }
        finally
        {
            Assert.Equal(3, Regex.Count(osctl.Succeed("policy", "restore", "-n", "cp-1,worker-1,trustd").Output, "in force"));
        }
        Assert.Matches("cp-1 +sha256:[0-9a-f]+ +shipped", osctl.Succeed("policy", "status").Output);
        Assert.Equal(0, osctl.Run("can-i", "ServiceRestart").Code);
    }

    [Fact]
    public void Rejects_a_bundle_in_error_before_any_node_is_asked()
    {
        var bundle = Copy();
        File.AppendAllText(Path.Combine(bundle, "talos", "authz", "authz.rego"), "\nallow if {");
        var refused = cluster.Osctl.Run("policy", "push", bundle);
        Assert.NotEqual(0, refused.Code);
        Assert.Matches(@"error: talos/authz/authz\.rego:\d+:\d+: rego_parse_error", refused.Error);
    }

    string Copy()
    {
        var source = Path.Combine(OsctlProgram.Root, "policy", "bundle");
        var target = Path.Combine(folder, "bundle");
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        return target;
    }

    [GeneratedRegex("`osctl approve ([0-9a-f]+)`")]
    private static partial Regex ApprovePattern();
}
