using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Xunit;

namespace Talos.Policy.Tests;

public sealed class BundleTests : IDisposable
{
    const string Reboot = "/talos.machine.v1.MachineService/Reboot";

    readonly string _folder = Directory.CreateTempSubdirectory("talos-policy-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    string Copy(Action<string>? change = null)
    {
        string target = Path.Combine(_folder, Guid.NewGuid().ToString("n"));
        foreach (string file in Directory.EnumerateFiles(Shipped.BundlePath, "*", SearchOption.AllDirectories))
        {
            string to = Path.Combine(target, Path.GetRelativePath(Shipped.BundlePath, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }
        change?.Invoke(target);
        return target;
    }

    static void Edit(string root, string file, string from, string to)
    {
        string path = Path.Combine(root, file), text = File.ReadAllText(path);
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));
    }

    [Fact]
    public void Rejects_a_module_that_is_given_as_a_bundle()
    {
        string module = Path.Combine(_folder, "alone.rego");
        File.WriteAllText(module, "package a");

        Assert.Equal("a module alone is no bundle", Assert.Single(Assert.Throws<PolicyException>(() => PolicyBundle.Load(module)).Errors).Message);
    }

    [Fact]
    public void Accepts_the_same_bundle_as_directory_and_archive()
    {
        string archive = Path.Combine(_folder, "bundle.tar.gz");
        using (FileStream stream = File.Create(archive))
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest))
        using (var tar = new TarWriter(gzip))
            foreach (string file in Directory.EnumerateFiles(Shipped.BundlePath, "*", SearchOption.AllDirectories)) tar.WriteEntry(file, "./" + Path.GetRelativePath(Shipped.BundlePath, file));
        Assert.Equal(BundleReader.Read(Shipped.BundlePath).Select(f => f.Path), BundleReader.Read(archive).Select(f => f.Path));
        Assert.Equal(Shipped.Bundle.Revision, PolicyBundle.Load(archive).Revision);
    }

    [Theory]
    [InlineData("""{"roots": ["talos"],}""", ".manifest:1:21: bundle_error: not valid JSON: the JSON object contains a trailing comma")]
    [InlineData("""{"roots": ["talos"]""", ".manifest:1:20: bundle_error: not valid JSON: the text ends before the document does")]
    [InlineData("[]", "the manifest must be an object")]
    [InlineData("""{"roots": "talos"}""", "`roots` must be a list of paths")]
    [InlineData("""{"roots": ["talos", "talos/authz"]}""", "the root `talos/authz` lies within the root `talos`")]
    [InlineData("""{"roots": ["talos", "talos"]}""", "the root `talos` lies within the root `talos`")]
    [InlineData("""{"roots": ["", "talos"]}""", "the root `talos` lies within the root ``")]
    [InlineData("""{"revision": 3}""", "`revision` must be a string")]
    [InlineData("""{"roots": ["other"]}""", "outside of the manifest's roots other")]
    public void Rejects_a_manifest_that_says_nothing_clear(string manifest, string expected)
    {
        string path = Copy(r => File.WriteAllText(Path.Combine(r, ".manifest"), manifest));
        Assert.Contains(expected, Assert.Throws<PolicyException>(() => PolicyBundle.Load(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    public void Rejects_an_archive_with_links(TarEntryType kind)
    {
        string archive = Path.Combine(_folder, "links.tar.gz");
        using (FileStream stream = File.Create(archive))
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest))
        using (var tar = new TarWriter(gzip))
            tar.WriteEntry(new PaxTarEntry(kind, "talos/x.rego") { LinkName = "/etc/passwd" });
        Assert.Contains("the file is a link", Assert.Throws<PolicyException>(() => PolicyBundle.Load(archive)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_an_input_document_with_its_place()
    {
        Assert.Equal("""{"x":{"a":[1]}}""", Assert.Single(RegoProgram.Compile([]).Prepare("x = input").Run(RegoInput.Parse("""{"a": {1}}""", "call.json"))));
        PolicyError wrong = Assert.Single(Assert.Throws<PolicyException>(() => RegoInput.Parse("{\n  \"a\": ]", "call.json")).Errors);
        Assert.Equal(("call.json", 2, 8, "input_error"), (wrong.File, wrong.Line, wrong.Column, wrong.Code));
    }

    [Fact]
    public void Rejects_a_broken_module_with_file_line_and_column()
    {
        string path = Copy(r => Edit(r, "talos/authz/authz.rego", "\trole in rule.roles\n}\n\n# Roles", "\trole in rule.roles ]\n}\n\n# Roles"));
        Assert.False(PolicyBundle.TryLoad(path, out PolicyBundle? bundle, out IReadOnlyList<PolicyError> errors));
        Assert.Null(bundle);
        PolicyError error = Assert.Single(errors);
        Assert.Equal(("rego_parse_error", "talos/authz/authz.rego"), (error.Code, error.File));
        Assert.True(error.Line > 10 && error.Column > 1, error.ToString());
    }

    [Fact]
    public void Rejects_broken_data_with_file_and_line()
    {
        string path = Copy(r => Edit(r, "talos/authz/data.json", "\"methods\": {", "\"methods\": {{"));
        Assert.False(PolicyBundle.TryLoad(path, out _, out IReadOnlyList<PolicyError> errors));
        Assert.Contains(errors, e => e is { File: "talos/authz/data.json", Line: 3 });
    }

    [Fact]
    public void Rejects_an_unused_import_when_strict_only()
    {
        string path = Copy(r => File.WriteAllText(Path.Combine(r, "talos", "x.rego"), "package talos.x\n\nimport data.talos.authz\nimport rego.v1\n\ny := 1\n"));
        PolicyBundle.Load(path);
        PolicyError error = Assert.Single(PolicyBundle.CheckStrictly(path));
        Assert.Equal(("rego_compile_error", "talos/x.rego", 3, 1, "import `authz` unused"), (error.Code, error.File, error.Line, error.Column, error.Message));
        Assert.Empty(PolicyBundle.CheckStrictly(Shipped.BundlePath));
    }

    [Fact]
    public void Verifies_what_the_compiler_of_OPA_adds_and_data_in_YAML()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string path = Copy(r =>
        {
            File.WriteAllBytes(Path.Combine(r, "policy.wasm"), [0, 0x61, 0x73, 0x6D]);
            File.WriteAllText(Path.Combine(r, "plan.json"), "{}");
            Directory.CreateDirectory(Path.Combine(r, "talos", "more"));
            File.WriteAllText(Path.Combine(r, "talos", "more", "data.yaml"), "a: [1, two]\n");
            File.WriteAllText(Path.Combine(r, ".signatures.json"), PolicyBundle.Sign(r, key.ExportECPrivateKeyPem(), "release"));
        });
        var verification = new BundleVerification(key.ExportSubjectPublicKeyInfoPem());
        PolicyBundle.Load(path, verification);
        // Signed is what YAML says, not how.
        File.WriteAllText(Path.Combine(path, "talos", "more", "data.yaml"), "a:\n  - 1\n  - \"two\"\n");
        PolicyBundle.Load(path, verification);
        foreach (string file in (string[])["policy.wasm", "plan.json", "talos/more/data.yaml"])
        {
            byte[] content = File.ReadAllBytes(Path.Combine(path, file));
            File.WriteAllText(Path.Combine(path, file), "b: 1");
            Assert.Equal(file, Assert.Single(Assert.Throws<PolicyException>(() => PolicyBundle.Load(path, verification)).Errors).File);
            File.Delete(Path.Combine(path, file));
            Assert.Equal(file, Assert.Single(Assert.Throws<PolicyException>(() => PolicyBundle.Load(path, verification)).Errors).File);
            File.WriteAllBytes(Path.Combine(path, file), content);
        }
    }

    [Theory]
    [InlineData("call.yaml", "a: [1, two]\n", "{\"x\":{\"a\":[1,\"two\"]}}")]
    [InlineData("call.json", "{\"a\": 1}", "{\"x\":{\"a\":1}}")]
    [InlineData("call", "{\"a\", 1}", "{\"x\":[1,\"a\"]}")]
    public void Reads_an_input_as_its_file_says(string file, string text, string expected) =>
        Assert.Equal([expected], RegoProgram.Compile([]).Prepare("x = input").Run(RegoInput.Parse(text, file)));

    [Theory]
    [InlineData("call.yml", "a: [1")]
    [InlineData("call.json", "a: 1")]
    public void Rejects_an_input_that_is_not_what_its_file_says(string file, string text) =>
        Assert.Equal(file, Assert.Single(Assert.Throws<PolicyException>(() => RegoInput.Parse(text, file)).Errors).File);

    [Fact]
    public void Rejects_a_package_outside_of_the_roots()
    {
        string path = Copy(r => File.WriteAllText(Path.Combine(r, "other.rego"), "package elsewhere\n\nx := 1\n"));
        Assert.False(PolicyBundle.TryLoad(path, out _, out IReadOnlyList<PolicyError> errors));
        Assert.Equal("other.rego", Assert.Single(errors).File);
    }

    [Fact]
    public void Rejects_what_is_no_bundle() => Assert.Throws<PolicyException>(() => PolicyBundle.Load(Path.Combine(_folder, "absent")));

    [Fact]
    public void Survives_a_bundle_that_drops_a_rule_and_one_that_does_not_compile()
    {
        var authorizer = Authorizer.Create(Shipped.Bundle, Shipped.Methods);
        PolicyBundle dropped = PolicyBundle.Load(Copy(r => Edit(r, "talos/authz/data.json", Reboot, "/talos.machine.v1.MachineService/Gone")));
        PolicyException e = Assert.Throws<PolicyException>(() => authorizer.Activate(dropped));
        Assert.Equal([Reboot], e.Methods);
        Assert.Equal(Shipped.Bundle.Revision, authorizer.Revision);
        Assert.Equal(DecisionOutcome.Allow, authorizer.Decide(Shipped.Input(Reboot, "os:admin")).Outcome);
    }

    [Fact]
    public void Accepts_another_bundle_at_once()
    {
        var authorizer = Authorizer.Create(Shipped.Bundle, Shipped.Methods);
        PolicyBundle stricter = PolicyBundle.Load(Copy(r => File.WriteAllText(Path.Combine(r, "talos", "authz", "strict.rego"),
            "package talos.authz\n\ndeny contains {\"reason\": \"frozen\", \"sentence\": \"no reboots today\"} if endswith(input.method, \"/Reboot\")\n")));
        authorizer.Activate(stricter);
        Decision decision = authorizer.Decide(Shipped.Input(Reboot, "os:admin"));
        Assert.Equal((DecisionOutcome.Deny, "frozen", stricter.Revision), (decision.Outcome, decision.ReasonId, decision.Revision));
        Assert.NotEqual(Shipped.Bundle.Revision, stricter.Revision);
    }

    [Fact]
    public void Accepts_conditions_on_request_time_and_source_and_never_caches_them()
    {
        PolicyBundle bundle = PolicyBundle.Load(Copy(r => File.WriteAllText(Path.Combine(r, "talos", "authz", "paths.rego"), """
            package talos.authz

            deny contains {"reason": "secret_path", "sentence": "this path is closed"} if startswith(input.request.path, "/secret")

            deny contains {"reason": "outside", "sentence": "not from here"} if {
                endswith(input.method, "/Read")
                not net.cidr_contains("192.0.2.0/24", input.caller.source_ip)
            }
            """)));
        var authorizer = Authorizer.Create(bundle, Shipped.Methods);
        AuthorizationInput Read(string path, string ip) => new()
        {
            Caller = AuthorizationCaller.Named("alice", ["os:admin"], "", "", default, default, ip),
            Method = "/talos.machine.v1.MachineService/Read",
            RevocationAge = TimeSpan.Zero,
            Time = Shipped.Now,
            Request = () => $$"""{"path": "{{path}}"}""",
        };
        Assert.Equal("secret_path", authorizer.Decide(Read("/secret/x", "192.0.2.5")).ReasonId);
        Assert.Equal("role_allowed", authorizer.Decide(Read("/proc/x", "192.0.2.5")).ReasonId);
        Assert.Equal("outside", authorizer.Decide(Read("/proc/x", "198.51.100.5")).ReasonId);
    }

    [Fact]
    public void Denies_when_the_evaluation_runs_into_a_limit()
    {
        PolicyBundle bundle = PolicyBundle.Load(Copy(r => File.WriteAllText(Path.Combine(r, "talos", "authz", "endless.rego"),
            "package talos.authz\n\ndeny contains {\"reason\": \"x\", \"sentence\": \"y\"} if {\n\tsome i in numbers.range(1, 500)\n\tsome j in numbers.range(1, 500)\n\ti * j == input.time\n}\n")));
        var authorizer = Authorizer.Create(bundle, [Reboot], EvaluationLimits.Default with { Steps = 2_000 });
        Decision decision = authorizer.Decide(Shipped.Input(Reboot, "os:admin"));
        Assert.Equal((DecisionOutcome.Deny, "evaluation_failed", RecordMode.FailClosed), (decision.Outcome, decision.ReasonId, decision.RecordMode));
        Assert.Contains("`steps`", decision.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Accepts_a_signed_bundle_and_rejects_unsigned_tampered_and_foreign_ones()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var verification = new BundleVerification(key.ExportSubjectPublicKeyInfoPem(), "release");
        string path = Copy(r => File.WriteAllText(Path.Combine(r, ".signatures.json"), PolicyBundle.Sign(r, key.ExportECPrivateKeyPem(), "release")));
        PolicyBundle.Load(path, verification);
        string Refused(string bundle, BundleVerification how) => Assert.Single(Assert.Throws<PolicyException>(() => PolicyBundle.Load(bundle, how)).Errors).Message;
        Assert.Equal("the bundle is not signed", Refused(Copy(), verification));
        Assert.Equal("the signature does not verify with the configured key", Refused(path, new BundleVerification(other.ExportSubjectPublicKeyInfoPem(), "release")));
        Assert.Equal("the signature names the key `release`, not `old`", Refused(path, verification with { KeyId = "old" }));
        File.WriteAllText(Path.Combine(path, "talos", "extra.rego"), "package talos.extra\n\nx := 1\n");
        Assert.Equal("the file is not covered by the signature", Refused(path, verification));
        File.Delete(Path.Combine(path, "talos", "extra.rego"));
        Edit(path, "talos/authz/data.json", "\"os:operator\"", "\"os:reader\"");
        Assert.Equal("the file is not the one that was signed", Refused(path, verification));
    }

    [Fact]
    public void Accepts_a_diff_that_says_who_gains_and_who_loses()
    {
        PolicyBundle after = PolicyBundle.Load(Copy(r => Edit(r, "talos/authz/data.json", $"\"{Reboot}\": {{\"roles\": [\"os:admin\", \"os:operator\"]", $"\"{Reboot}\": {{\"roles\": [\"os:admin\", \"os:auditor\"]")));
        Assert.Equal(
            [new PolicyChange("os:auditor", Reboot, DecisionOutcome.Deny, DecisionOutcome.Allow), new PolicyChange("os:operator", Reboot, DecisionOutcome.Allow, DecisionOutcome.Deny)],
            PolicyDiff.Compare(Shipped.Bundle, after));
        Assert.Empty(PolicyDiff.Compare(Shipped.Bundle, Shipped.Bundle));
    }
}
