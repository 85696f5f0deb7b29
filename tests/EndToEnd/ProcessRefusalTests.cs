using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Talos.Api.Configuration;
using Talos.Cluster;
using Talos.Cluster.Provisioning;
using Xunit;

namespace Talos.EndToEnd.Tests;

/// <summary>Whom the nodes turn away, and what of it is on the record.</summary>
[Collection("processes")]
public sealed class ProcessRefusalTests(ProcessCluster cluster)
{
    OsctlProgram Osctl => cluster.Osctl;

    [Fact]
    public void Denies_a_reader_what_only_operators_may_with_a_reason_and_a_record()
    {
        var file = Path.Combine(Osctl.Home, "rita");
        Osctl.Succeed("config", "new", "--name", "rita", "--roles", "os:reader", "--to", file);
        Osctl.Succeed("services", "--talosconfig", file);

        var printed = Osctl.Run("reboot", "--talosconfig", file);
        Assert.Equal(3, printed.Code);
        Assert.Equal("error: cp-1: Reboot needs one of the roles os:admin, os:operator [role_not_allowed]", printed.Error.Split('\n')[0]);

        var entry = Assert.Single(Denied("rita"));
        Assert.EndsWith("/Reboot", (string?)entry["method"]);
        Assert.Equal("role_not_allowed", (string?)entry["decision"]!["reason_id"]);
        Assert.Equal("127.0.0.1", ((string?)entry["caller"]!["source_address"])?.Split(':')[0]);
    }

    [Fact]
    public void Rejects_a_token_that_nobody_made_and_records_it()
    {
        var token = TokenSecret.Generate();
        var printed = Osctl.Run("config", "new", "--name", "eve", "--roles", "os:admin", "--token", token.Reveal(), "--trustd", $"127.0.0.1:{cluster.Port + 1}", "--to", Path.Combine(Osctl.Home, "eve"));
        Assert.NotEqual(0, printed.Code);
        Assert.False(File.Exists(Path.Combine(Osctl.Home, "eve")));
        Assert.DoesNotContain(Secret(token), printed.Output + printed.Error);

        var record = Directory.GetFiles(Path.Combine(cluster.Folder, "cp-1", "state", "trustd", "audit"), "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock").Select(ReadShared).ToArray();
        Assert.Contains(record, bytes => bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(token.Id)) >= 0);
        Assert.DoesNotContain(record, bytes => bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Secret(token))) >= 0);
    }

    /// <summary>A worker whose token is for another name.</summary>
    [Fact]
    public void Rejects_a_token_for_another_name()
    {
        var token = Osctl.Succeed("token", "create", "--name", "worker-7").Output.Trim();
        var printed = Osctl.Run("config", "new", "--name", "worker-8", "--roles", "os:node", "--token", token, "--trustd", $"127.0.0.1:{cluster.Port + 1}", "--to", Path.Combine(Osctl.Home, "w8"));
        Assert.NotEqual(0, printed.Code);
        Assert.DoesNotContain(Osctl.Succeed("cert", "list", "-o", "json").Json["certificates"]!.AsArray(), c => (string?)c!["name"] == "worker-8");
    }

    [Fact]
    public void Rejects_a_certificate_of_another_authority_and_records_the_handshake()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        using var foreign = Request("mallory", key).CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
        AssertRefused("foreign", foreign.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>Signed by the cluster's own authority, as a certificate that was good an hour ago.</summary>
    [Fact]
    public void Rejects_a_certificate_that_expired_and_says_so()
    {
        var trustd = Path.Combine(cluster.Folder, "cp-1", "state", "trustd");
        _ = Osctl;
        using var authority = X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(trustd, "ca.crt")), File.ReadAllText(Path.Combine(trustd, "ca.key")));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request("brief", key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        var now = DateTimeOffset.UtcNow;
        var notBefore = now.AddHours(-2) > authority.NotBefore ? now.AddHours(-2) : authority.NotBefore;
        using var expired = request.Create(authority, notBefore, notBefore.AddSeconds(1), RandomNumberGenerator.GetBytes(16).Select((b, i) => i == 0 ? (byte)(b & 0x7F | 1) : b).ToArray());
        var error = AssertRefused("expired", expired.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
        Assert.Contains("your certificate expired", error);
        Assert.Contains(Handshakes(), m => m.Contains("expired", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Rejects_a_record_in_which_one_byte_was_changed_and_names_the_entry()
    {
        var folder = Path.Combine(Osctl.Home, "record");
        Osctl.Succeed("audit", "export", folder, "-n", "cp-1");
        Assert.Contains("verified", Osctl.Succeed("audit", "verify", "--from-export", folder).Output);

        var bundle = Directory.GetFiles(Path.Combine(folder, "tile", "entries"), "*", SearchOption.AllDirectories).OrderBy(f => f.Length).First();
        var bytes = File.ReadAllBytes(bundle);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(bundle, bytes);
        var printed = Osctl.Run("audit", "verify", "--from-export", folder);
        Assert.Equal(4, printed.Code);
        Assert.Matches(@"NOT VERIFIED, entry \d+ is the first that is not what was recorded", printed.Output);
    }

    /// <summary>Without a machine there is no maintenance: the mistake is the last word on the console, and `create` shows it.</summary>
    [Fact]
    public void Rejects_a_bad_configuration_with_line_and_column()
    {
        var plan = ClusterPlan.Create("bad", Provisioner.Process, Path.Combine(Osctl.Home, "bad"), 1, OsctlProgram.FreePorts());
        var node = plan.Nodes[0];
        Directory.CreateDirectory(node.Folder);
        File.WriteAllText(node.ConfigurationFile, "version: v1alpha1\ncluster: bad\nmachine:\n  type: controlplane\n  hostnme: cp-1\n");
        var record = ClusterRecord.Open(plan);
        new ProcessNodes(ProcessCluster.Executables(Osctl.Home), Path.Combine(OsctlProgram.Root, "policy", "bundle")).Start(record, node);
        SpinWait.SpinUntil(() => record.Running(node) is null, TimeSpan.FromMinutes(1));
        Assert.Null(record.Running(node));
        Assert.Contains(":5:3: unknown field `hostnme`", File.ReadAllText(node.ConsoleFile));
    }

    static CertificateRequest Request(string name, ECDsa key)
    {
        var request = new CertificateRequest($"O=os:admin, CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri($"spiffe://demo/user/{name}"));
        request.CertificateExtensions.Add(names.Build());
        return request;
    }

    string AssertRefused(string name, string certificatePem, string keyPem)
    {
        var context = ClientConfiguration.Parse(File.ReadAllText(Path.Combine(Osctl.Home, ".talos", "config")), "config").RequireValue().Contexts["demo"];
        var file = Path.Combine(Osctl.Home, name);
        File.WriteAllText(file, new ClientConfiguration
        {
            Current = "demo",
            Contexts = new Dictionary<string, ClientContext>
            {
                ["demo"] = new() { Endpoints = context.Endpoints, Trustd = context.Trustd, Nodes = context.Nodes, CaPem = context.CaPem, CertificatePem = certificatePem, PrivateKeyPem = keyPem },
            },
        }.ToYaml());
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var before = Handshakes().Count;
        var printed = Osctl.Run("services", "--talosconfig", file);
        Assert.Equal(2, printed.Code);
        Assert.StartsWith("error: cp-1: ", printed.Error);
        Assert.DoesNotContain("   at ", printed.Error);
        Assert.True(Handshakes().Count > before, "the handshake is not on the record");
        return printed.Error;
    }

    List<string> Handshakes() =>
        [.. Osctl.Succeed("audit", "list", "-o", "json").Json[0]!["entries"]!.AsArray().Where(e => (string?)e!["kind"] == "ENTRY_KIND_HANDSHAKE_FAILED").Select(e => e!.ToJsonString())];

    List<System.Text.Json.Nodes.JsonNode> Denied(string caller) =>
        [.. Osctl.Succeed("audit", "list", "--denied", "--caller", caller, "-o", "json").Json[0]!["entries"]!.AsArray().Select(e => e!)];

    // trustd writes to them meanwhile.
    static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    static string Secret(TokenSecret token) => token.Reveal().Split('.')[1];
}
