using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace Talos.Pki.Tests;

/// <summary>Second opinions: OpenSSL's strict verification, and zlint where it is installed.</summary>
public sealed class OpenSslTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("talos-pki-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    internal static (int Code, string Output) Tool(string name, params string[] arguments)
    {
        var start = new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    internal static bool IsInstalled(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, tool)));

    internal static void Require(string tool)
    {
        Assert.SkipUnless(IsInstalled(tool), $"SKIPPED: `{tool}` is not installed, so nobody gave a second opinion");
    }

    [Fact]
    public void Accepts_what_openssl_accepts_strictly()
    {
        Require("openssl");
        using var fleet = new TestFleet(DateTimeOffset.UnixEpoch.AddYears(60));
        string root = Write("root.pem", fleet.Authority.Certificate.ToPem());
        string[] leaves = [.. RandomGrants(200, seed: 4).Select((pair, i) => Write($"{i}.pem", fleet.Issue(pair.Profile, pair.Grant, s_request).ToPem()))];
        (int code, string output) = Tool("openssl", ["verify", "-x509_strict", "-attime", $"{TestFleet.Now.ToUnixTimeSeconds()}", "-CAfile", root, .. leaves]);
        Assert.True(code == 0, output);
        Assert.Equal(200, output.Split('\n').Count(line => line.EndsWith(": OK", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Accepts_an_intermediate_that_openssl_accepts()
    {
        Require("openssl");
        using var fleet = new TestFleet();
        var grant = new IdentityGrant { Cluster = TestFleet.Cluster, Name = "intermediate-1" };
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var csr = CertificateSigningRequest.Create(key, grant.Name);
        Certificate intermediate = fleet.Issue(CertificateProfile.OsIntermediate, grant, VerifiedRequest.Parse(csr.Der.Span).Require());
        using CertificateAuthority below = CertificateAuthority.Load(intermediate, key, 9, fleet.Clock).Require();
        string[] common = ["verify", "-x509_strict", "-attime", $"{TestFleet.Now.ToUnixTimeSeconds()}",
            "-CAfile", Write("root.pem", fleet.Authority.Certificate.ToPem()), "-untrusted", Write("intermediate.pem", intermediate.ToPem())];
        Checked<PreparedCertificate> prepared = await below.PrepareAsync(CertificateProfile.User, TestFleet.UserGrant, s_request, fleet.Reserve);
        (int code, string output) = Tool("openssl", [.. common, Write("leaf.pem", below.Issue(prepared.Require()).ToPem())]);
        Assert.True(code == 0, output);
    }

    [Fact]
    public async Task Accepts_lists_that_openssl_accepts()
    {
        Require("openssl");
        var clock = new FixedClock(TestFleet.Now.AddDays(-1));
        using var authority = CertificateAuthority.CreateRoot(ECDsa.Create(ECCurve.NamedCurves.nistP256), TestFleet.Cluster, 3, clock, lists: new CrlSharding("http://crl.example", 1)).Require();
        clock.Time = TestFleet.Now;
        async Task<Certificate> Issue() => authority.Issue((await authority.PrepareAsync(
            CertificateProfile.User, TestFleet.UserGrant, TestFleet.Request(TestFleet.UserGrant), (_, _) => new(SerialVerdict.Recorded))).Require());
        Certificate good = await Issue(), revoked = await Issue();
        CertificateRevocationList list = authority.IssueCrl(new CrlContent
        {
            Number = 2,
            Entries = [new CrlEntry(revoked.Serial, clock.Time, CrlReason.KeyCompromise)],
            Life = TimeSpan.FromHours(1),
        });
        string root = Write("root.pem", authority.Certificate.ToPem()), crl = Write("crl.pem", list.ToPem());
        string[] common = ["verify", "-x509_strict", "-crl_check", "-attime", $"{TestFleet.Now.ToUnixTimeSeconds()}", "-CAfile", root, "-CRLfile", crl];
        (int code, string output) = Tool("openssl", [.. common, Write("good.pem", good.ToPem())]);
        Assert.True(code == 0, output);
        (code, output) = Tool("openssl", [.. common, Write("revoked.pem", revoked.ToPem())]);
        Assert.NotEqual(0, code);
        Assert.Contains("certificate revoked", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Accepts_what_zlint_accepts()
    {
        Require("zlint");
        using var fleet = new TestFleet();
        foreach ((CertificateProfile profile, IdentityGrant grant) in RandomGrants(100, seed: 5))
        {
            (_, string output) = Tool("zlint", "-includeSources", "RFC5280,RFC5480,RFC8813", Write("leaf.pem", fleet.Issue(profile, grant, s_request).ToPem()));
            Assert.DoesNotContain("\"result\":\"error\"", output, StringComparison.Ordinal);
            Assert.DoesNotContain("\"result\":\"fatal\"", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Issues_ten_thousand_random_certificates_without_a_finding()
    {
        using var fleet = new TestFleet();
        foreach ((CertificateProfile profile, IdentityGrant grant) in RandomGrants(10_000, seed: 6))
        {
            Certificate issued = fleet.Issue(profile, grant, s_request);
            Assert.Empty(CertificateLints.Run(issued, LintScope.For(profile, fleet.Authority.Certificate)));
            Assert.Equal(grant.Roles, issued.Subject.Organizations);
            Assert.Equal(
                [.. grant.DnsNames.Select(n => $"DNS:{n}"), .. grant.Addresses.Select(a => $"IP:{a}"), $"URI:spiffe://{grant.Cluster}/{SpiffeId.Segment(profile.Kind)}/{grant.Name}"],
                issued.AlternativeNames.Select(n => n.ToString()));
        }

        Assert.Equal(10_000, fleet.Ledger.Count);
    }

    // A request that asks for nothing, so that every grant fits it.
    static readonly VerifiedRequest s_request = VerifiedRequest.Parse(
        new CertificateRequest("", ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA256).CreateSigningRequest()).Require();

    static IEnumerable<(CertificateProfile Profile, IdentityGrant Grant)> RandomGrants(int count, int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            CertificateProfile profile = random.Next(3) switch { 0 => CertificateProfile.Node, 1 => CertificateProfile.User, _ => CertificateProfile.Trustd };
            bool named = profile.Kind != PeerKind.User;
            var address = new byte[random.Next(2) == 0 ? 4 : 16];
            random.NextBytes(address);
            address[0] = 0x20;
            yield return (profile, new IdentityGrant
            {
                Cluster = "c" + Word(random, 1, 30),
                Name = Word(random, 1, 64),
                Roles = [.. Enumerable.Range(0, random.Next(17)).Select(n => $"os:{Word(random, 1, 20)}{n}")],
                DnsNames = named ? [.. Enumerable.Range(0, random.Next(8)).Select(n => $"{Word(random, 1, 40)}{n}.{Word(random, 1, 40)}.example")] : [],
                Addresses = named && random.Next(2) == 0 ? [new IPAddress(address)] : [],
                Lifetime = random.Next(2) == 0 ? TimeSpan.FromSeconds(random.Next(60, (int)profile.Lifetime.TotalSeconds)) : null,
            });
        }
    }

    static string Word(Random random, int shortest, int longest)
    {
        const string Letters = "abcdefghijklmnopqrstuvwxyz0123456789";
        char[] word = [.. Enumerable.Range(0, random.Next(shortest, longest + 1)).Select(_ => Letters[random.Next(Letters.Length)])];
        if (word.Length > 4)
            word[2] = '-';
        return new string(word);
    }
}
