using System.Net;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Trust.V1;
using Talos.Osctl;
using Talos.Pki;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>The commands for certificates, tokens and machines, as a person types them, against a real trustd.</summary>
public sealed class OsctlTests : IAsyncLifetime
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    RunningTrustd trustd = null!;

    string Config => Path.Combine(trustd.Folder, "alice.talosconfig");

    public async ValueTask InitializeAsync()
    {
        trustd = await RunningTrustd.StartAsync();
        await DoneAsync("config", "new", "--name", "alice", "--roles", "os:admin", "--token", trustd.AdministratorToken.Reveal(), "--trustd", trustd.Server.Endpoint.ToString());
    }

    public ValueTask DisposeAsync() => trustd.DisposeAsync();

    [Fact]
    public async Task Makes_a_context_for_another_with_the_key_made_here_and_files_for_the_owner_alone()
    {
        var bobs = Path.Combine(trustd.Folder, "bob.talosconfig");
        Assert.Contains("bob with os:reader", await DoneAsync("config", "new", "--name", "bob", "--roles", "os:reader", "--ttl", "30m", "--to", bobs), StringComparison.Ordinal);
        Assert.Equal((OwnerOnly, OwnerOnly), (File.GetUnixFileMode(Config), File.GetUnixFileMode(bobs)));
        var listed = JsonNode.Parse(await DoneAsync("cert", "list", "--name", "bob", "-o", "json"))!["certificates"]![0]!;
        Assert.Equal("delegation", (string)listed["reason"]!);
        // What trustd has is no key: it never saw one.
        Assert.DoesNotContain("PRIVATE", await DoneAsync("cert", "show", (string)listed["serial"]!), StringComparison.Ordinal);
        Assert.Contains("PRIVATE KEY", File.ReadAllText(bobs), StringComparison.Ordinal);

        var (code, _, error) = await RunAsync("config", "new", "--name", "eve", "--roles", "os:reader", "--ttl", "9h", "--to", Path.Combine(trustd.Folder, "eve.talosconfig"));
        Assert.Equal(ExitCode.Denied, code);
        Assert.Contains("[lifetime-too-long]", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Makes_lists_and_revokes_tokens_that_are_counted_and_hold_for_their_names_and_addresses()
    {
        var token = (await DoneAsync("token", "create", "--name", "edge-*", "--address", "10.7.0.0/16", "--uses", "2", "--ttl", "10m")).Trim();
        async Task<string?> EnrolAsync(string name, string address)
        {
            using var csr = CertificateSigningRequest.Create(name, [name], [IPAddress.Parse(address)]);
            try
            {
                await trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(csr.Der.Span), Token = token });
                return null;
            }
            catch (RpcException e)
            {
                return e.Trailers.GetValue("talos-reason");
            }
        }
        Assert.Equal("name-not-allowed", await EnrolAsync("cp-1", "10.7.0.1"));
        Assert.Equal("name-not-allowed", await EnrolAsync("edge-1", "10.8.0.1"));
        // What was refused cost no use.
        Assert.Null(await EnrolAsync("edge-1", "10.7.0.1"));
        JsonNode Listed(string json) => JsonNode.Parse(json)!["tokens"]!.AsArray().Single(t => (string)t!["id"]! == token[..8])!;
        var listing = await DoneAsync("token", "list", "-o", "json");
        Assert.Equal((1, "alice"), ((int)Listed(listing)["uses_left"]!, (string)Listed(listing)["created_by"]!));
        Assert.DoesNotContain(token[9..], listing, StringComparison.Ordinal);
        Assert.Null(await EnrolAsync("edge-2", "10.7.0.2"));
        Assert.Equal("token-exhausted", await EnrolAsync("edge-3", "10.7.0.3"));

        token = (await DoneAsync("token", "create", "--name", "edge-*")).Trim();
        await DoneAsync("token", "revoke", token[..8]);
        Assert.Equal("token-revoked", await EnrolAsync("edge-4", "127.0.0.1"));
        Assert.Contains("token-revoked", await DoneAsync("cert", "refusals", "--limit", "1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lets_a_machine_in_by_its_fingerprint_and_shows_and_revokes_what_it_got()
    {
        using var csr = CertificateSigningRequest.Create("worker-7", ["worker-7"]);
        var apply = new EnrollmentApplyRequest { Csr = ByteString.CopyFrom(csr.Der.Span) };
        var id = (await trustd.Stranger().EnrollmentApplyAsync(apply)).Id;
        var fingerprint = SubjectPublicKey.FingerprintOf(csr.Key.ExportSubjectPublicKeyInfo());
        Assert.Contains(fingerprint, await DoneAsync("enroll", "list"), StringComparison.Ordinal);
        var (code, _, error) = await RunAsync("enroll", "approve", id, "--fingerprint", "SHA256:another");
        Assert.True(code != 0 && error.Contains("fingerprint", StringComparison.Ordinal), error);
        Assert.Contains("worker-7", await DoneAsync("enroll", "approve", id, "--fingerprint", fingerprint), StringComparison.Ordinal);

        var serial = Certificate.Parse((await trustd.Stranger().EnrollmentApplyAsync(apply)).Issued.Certificate.Span).Require().Serial;
        var shown = await DoneAsync("cert", "show", serial);
        Assert.Contains($"enrollment {id} approved by alice", shown, StringComparison.Ordinal);
        Assert.Contains("spiffe://demo/node/worker-7", shown, StringComparison.Ordinal);
        await DoneAsync("cert", "revoke", serial, "--reason", "lost");
        Assert.Contains("by alice: lost", await DoneAsync("cert", "show", serial), StringComparison.Ordinal);

        var list = CertificateRevocationList.Parse(System.Text.Encoding.ASCII.GetBytes(await DoneAsync("crl", "get", "--delta"))).Require();
        Assert.Equal([serial], list.Entries.Select(e => e.Serial));
    }

    [Fact]
    public async Task Inspects_a_certificate_and_renews_ones_own()
    {
        Assert.Contains("spiffe://demo/user/alice", await DoneAsync("cert", "inspect"), StringComparison.Ordinal);
        var before = File.ReadAllText(Config);
        await DoneAsync("config", "renew");
        Assert.NotEqual(before, File.ReadAllText(Config));
        Assert.Contains("renewal", await DoneAsync("cert", "list", "--name", "alice"), StringComparison.Ordinal);
        Assert.Contains("alice", await DoneAsync("config", "info"), StringComparison.Ordinal);
    }

    async Task<string> DoneAsync(params string[] words)
    {
        var (code, output, error) = await RunAsync(words);
        Assert.True(code == ExitCode.Done, $"{string.Join(' ', words)}: {error}");
        return output;
    }

    async Task<(int Code, string Output, string Error)> RunAsync(params string[] words)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync([.. words, "--talosconfig", Config], new Terminal { Output = output, Error = error, Bytes = Stream.Null, Environment = _ => null, Time = TimeProvider.System });
        return (code, output.ToString(), error.ToString());
    }
}
