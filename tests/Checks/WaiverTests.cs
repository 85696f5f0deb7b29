using System.Security.Cryptography;
using Talos.Checks;
using Xunit;

namespace Talos.Checks.Tests;

public sealed class WaiverTests : IDisposable
{
    static readonly DateOnly Today = new(2026, 11, 22);

    readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose() => _key.Dispose();

    [Fact]
    public void Accepts_a_failing_check_with_a_waiver_that_holds()
    {
        var result = Judge(Signed(Waiver("own.fails", Today)));
        Assert.NotNull(result.Pass);
        Assert.Equal(Disposition.Waived, Assert.Single(result.Findings, f => f.Result.Check.Id == "own.fails").Disposition);
    }

    [Fact]
    public void Accepts_an_unreadable_fact_only_with_a_waiver()
    {
        Assert.NotNull(Judge(Signed(Waiver("own.fails", Today), Waiver("own.unknown", Today)), unknown: true).Pass);
        Assert.Null(Judge(Signed(Waiver("own.fails", Today)), unknown: true).Pass);
    }

    [Fact]
    public void Rejects_a_failing_check_without_a_waiver() => Assert.Null(Judge(Waivers.None).Pass);

    [Fact]
    public void Rejects_an_expired_waiver()
    {
        var result = Judge(Signed(Waiver("own.fails", Today.AddDays(-1))));
        Assert.Null(result.Pass);
        Assert.Contains("expired on 2026-11-21", Assert.Single(result.Stopping).Sentence);
    }

    [Fact]
    public void Rejects_an_expired_waiver_of_a_check_that_passes() =>
        Assert.Null(Judge(Signed(Waiver("own.fails", Today), Waiver("own.passes", Today.AddDays(-1)))).Pass);

    [Fact]
    public void Rejects_a_waiver_that_runs_for_years() => Assert.Null(Judge(Signed(Waiver("own.fails", Today.AddDays(401)))).Pass);

    [Fact]
    public void Rejects_a_waiver_that_names_no_check() => Assert.Null(Judge(Signed(Waiver("own.fails", Today), Waiver("own.typo", Today))).Pass);

    [Fact]
    public void Accepts_a_waiver_that_is_no_longer_needed_and_says_so()
    {
        var result = Judge(Signed(Waiver("own.fails", Today), Waiver("own.passes", Today)));
        Assert.NotNull(result.Pass);
        Assert.Equal("own.passes", Assert.Single(result.StaleWaivers).Id);
    }

    [Fact]
    public void Rejects_a_waiver_that_was_changed_after_it_was_signed()
    {
        var signed = Waiver("own.fails", Today).Sign(_key);
        Assert.NotNull(Parse(signed).Value);
        foreach (var forged in (Waiver[])[signed with { Id = "own.passes" }, signed with { Expiry = Today.AddDays(9) }, signed with { Reason = "else" }, signed with { Owner = "else" }, signed with { Signature = "AAAA" }])
        {
            var parsed = Parse(forged);
            Assert.Null(parsed.Value);
            Assert.Contains("is not signed by a trusted key", parsed.Errors[0].Message);
        }
    }

    [Fact]
    public void Rejects_a_signature_of_another_key()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Null(Parse(Waiver("own.fails", Today).Sign(other)).Value);
    }

    [Theory]
    [InlineData("waivers:\n  - id: a\n    reason: r\n    owner: o\n    expiry: 2027-02-30\n    signature: x\n", 5, 13, "`2027-02-30` is no date")]
    [InlineData("waivers:\n  - id: a\n    reason: r\n    owner: o\n    signature: x\n", 2, 5, "`expiry` is missing")]
    [InlineData("waivers:\n  - id: a\n    reason: r\n    owner: o\n    expiry: 2027-02-03\n", 2, 5, "`signature` is missing")]
    [InlineData("waivers:\n  - id: a\n    reason: r\n    owner: o\n    expires: 2027-02-03\n    signature: x\n", 2, 5, "`expiry` is missing")]
    [InlineData("waiver: []\n", 1, 1, "`waivers` is missing")]
    public void Rejects_a_malformed_file_with_its_place(string text, int line, int column, string message)
    {
        var parsed = Waivers.Parse(text, "waivers.yaml", _key.ExportSubjectPublicKeyInfoPem(), "signers.pem");
        Assert.Null(parsed.Value);
        Assert.Contains(message, parsed.Errors[0].Message);
        Assert.Equal((line, column), (parsed.Errors[0].Line, parsed.Errors[0].Column));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")]
    public void Rejects_a_file_of_signers_without_a_key(string pem) => Assert.Null(Waivers.Parse("waivers: []\n", "w", pem, "signers.pem").Value);

    static Waiver Waiver(string id, DateOnly expiry) => new(id, "because the\n  vendor is late", "security", expiry, "", 1);

    Waivers Signed(params Waiver[] waivers) =>
        Waivers.Parse(Waivers.Write(waivers.Select(w => w.Sign(_key))), "waivers.yaml", _key.ExportSubjectPublicKeyInfoPem(), "signers.pem").Require();

    Parsed<Waivers> Parse(Waiver waiver) => Waivers.Parse(Waivers.Write([waiver]), "waivers.yaml", _key.ExportSubjectPublicKeyInfoPem(), "signers.pem");

    static GateResult Judge(Waivers waivers, bool unknown = false)
    {
        var catalogue = CheckCatalogue.Parse("""
            catalogue: own
            title: Own
            version: "1"
            source: handbook
            sections:
              - id: s
                title: S
                cite: c
                rationale: r
                remediation: r
                targets: [kernel-files]
                checks:
                  - { id: own.passes, title: t, rule: kconfig A is y }
                  - { id: own.fails, title: t, rule: kconfig B is y }
                  - { id: own.unknown, title: t, rule: sysctl c is 1 }
                  - { id: own.elsewhere, title: t, arch: [ARM], rule: kconfig B is y }
                  - { id: own.manual, title: t, manual: look }
            """, "own.yaml").Require();
        using var image = new ImageFixture();
        image.Kernel("CONFIG_X86_64=y\nCONFIG_A=y\n# CONFIG_B is not set\n", "a\n");
        var report = ComplianceScan.Run([catalogue], ProbeRoot.Files(new(image.KernelFiles.Kconfig)), TimeProvider.System,
            new(Selected: c => unknown || c.Id != "own.unknown"));
        return Gate.Judge(report, waivers, Today);
    }
}
