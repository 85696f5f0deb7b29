using Talos.Checks;
using Xunit;

namespace Talos.Checks.Tests;

/// <summary>A user's own catalogue: accepted in the documented format, refused with file, line and column otherwise.</summary>
public class CatalogueFormatTests
{
    const string Head = "catalogue: own\ntitle: Own checks\nversion: \"1\"\nsource: our handbook\nsections:\n  - id: s\n    title: S\n    cite: chapter 1\n    rationale: because\n    remediation: do it\n    checks:\n";

    [Fact]
    public void Accepts_a_catalogue_with_every_kind_of_rule()
    {
        var catalogue = CheckCatalogue.Parse(Head + """
                  - id: own.one
                    title: one
                    level: 2
                    targets: [node]
                    arch: [X86_64]
                    rule: sysctl kernel.sysrq is 0
                  - id: own.two
                    title: two
                    when: kconfig MODULES is y
                    rule:
                      any:
                        - kconfig LSM has yama
                        - not: cmdline lsm matches "^a b$"
                        - all:
                            - kernel-version at-least 6.1.0
                            - sysctl vm.mmap_rnd_bits is-value-of kconfig ARCH_MMAP_RND_BITS_MAX
                  - id: own.three
                    title: three
                    manual: look at the rack
            """, "own.yaml").Require();
        Assert.Equal(["own.one", "own.two", "own.three"], catalogue.Checks.Select(c => c.Id));
        Assert.Equal("any(kconfig LSM has yama; not(cmdline lsm matches \"^a b$\"); all(kernel-version at-least 6.1.0; "
            + "sysctl vm.mmap_rnd_bits is-value-of kconfig ARCH_MMAP_RND_BITS_MAX))", catalogue.Checks[1].RuleText);
        Assert.Equal("chapter 1", catalogue.Checks[2].Citation);
        Assert.Equal(2, catalogue.Checks[0].Level);
    }

    [Theory]
    [InlineData("      - id: a\n        title: t\n        rule: sysctl a equals 1\n", 14, 24, "`equals` is no operator for `sysctl`")]
    [InlineData("      - id: a\n        title: t\n        rule: sysctrl a is 1\n", 14, 15, "unknown probe `sysctrl`")]
    [InlineData("      - id: a\n        title: t\n        rule: sysctl a is\n", 14, 24, "`is` needs a value")]
    [InlineData("      - id: a\n        title: t\n        rule: sysctl a is 1 2\n", 14, 29, "`2` is too much")]
    [InlineData("      - id: a\n        title: t\n        rule: sysctl a at-least x\n", 14, 33, "`x` is no number")]
    [InlineData("      - id: a\n        title: t\n        rule: kernel-version at-least 6.1\n", 14, 39, "`6.1` is no version of three numbers")]
    [InlineData("      - id: a\n        title: t\n        rule: kernel flavour is x\n", 14, 22, "`kernel` does not know `flavour`")]
    [InlineData("      - id: a\n        title: t\n        rule: sysctl a matches \"(\"\n", 14, 32, "is no pattern that can be used")]
    [InlineData("      - id: a\n        title: t\n        rule: sysctl a is \"x\n", 14, 27, "a quote is not closed")]
    [InlineData("      - id: a\n        title: t\n        rule:\n          some: []\n", 15, 11, "unknown combination `some`")]
    [InlineData("      - id: a\n        title: t\n        rule:\n          any:\n            - sysctl a is 1\n", 16, 13, "`any` takes a list of two rules or more")]
    [InlineData("      - id: a\n        title: t\n        lvl: 1\n        rule: sysctl a is 1\n", 14, 9, "unknown field `lvl`")]
    [InlineData("      - id: a\n        title: t\n        level: 3\n        rule: sysctl a is 1\n", 14, 16, "`3` is no level")]
    [InlineData("      - id: a\n        title: t\n", 12, 9, "a check needs `rule` or `manual`")]
    [InlineData("      - title: t\n        rule: sysctl a is 1\n", 12, 9, "`id` is missing")]
    [InlineData("      - id: a\n        title: t\n        rule: sysctl a is 1\n      - id: a\n        title: t\n        rule: sysctl a is 1\n", 15, 13, "`a` is the id of an earlier check")]
    [InlineData("      - id: a b\n        title: t\n        rule: sysctl a is 1\n", 12, 13, "`a b` is no id")]
    [InlineData("      - id: a\n        title: t\n        arch: [Z80]\n        rule: sysctl a is 1\n", 14, 16, "unknown architecture `Z80`")]
    [InlineData("      - id: a\n        title: t\n        targets: [moon]\n        rule: sysctl a is 1\n", 14, 19, "unknown target `moon`")]
    [InlineData("      - id: a\n        id: b\n", 13, 9, "`id` is given twice")]
    [InlineData("      - &x\n        id: a\n", 12, 9, "anchors are not accepted")]
    [InlineData("      - *x\n", 12, 9, "aliases are not accepted")]
    public void Rejects_a_malformed_check_with_its_place(string check, int line, int column, string message)
    {
        var parsed = CheckCatalogue.Parse(Head + check, "own.yaml");
        Assert.Null(parsed.Value);
        var error = parsed.Errors[0];
        Assert.Contains(message, error.Message);
        Assert.Equal(("own.yaml", line, column), (error.File, error.Line, error.Column));
    }

    [Theory]
    [InlineData("", "0 documents")]
    [InlineData("a: 1\n---\nb: 2\n", "2 documents")]
    [InlineData("- a\n", "a catalogue must be a mapping")]
    [InlineData("a: [\n", "not YAML")]
    [InlineData("catalogue: x\n", "`title` is missing")]
    public void Rejects_what_is_no_catalogue(string text, string message)
    {
        var parsed = CheckCatalogue.Parse(text, "own.yaml");
        Assert.Contains(parsed.Errors, e => e.Message.Contains(message, StringComparison.Ordinal));
    }

    /// <summary>Texts that throw the library's scanner off its own track.</summary>
    [Theory]
    [InlineData("a: {b: \"'\u2028c")]
    [InlineData("a: {enabled: fa{lse}\n")]
    [InlineData("? \n- ?\n :")]
    [InlineData("%YAML 999999999999999.1\n---\n")]
    [InlineData("a: !<\n")]
    public void Survives_text_that_is_no_yaml(string text) => Assert.NotEmpty(CheckCatalogue.Parse(text, "own.yaml").Errors);

    [Fact]
    public void Rejects_depth_without_a_bound()
    {
        var parsed = CheckCatalogue.Parse(string.Concat(Enumerable.Repeat("[", 100)) + string.Concat(Enumerable.Repeat("]", 100)), "own.yaml");
        Assert.Contains("nested deeper", parsed.Errors[0].Message);
    }

    [Fact]
    public void Rejects_a_check_without_a_citation_naming_the_field()
    {
        var parsed = CheckCatalogue.Parse(Head.Replace("    cite: chapter 1\n", "") + "      - id: a\n        title: t\n        rule: sysctl a is 1\n", "own.yaml");
        Assert.Equal("`cite` is missing", parsed.Errors[0].Message);
    }
}
