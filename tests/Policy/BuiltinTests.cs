using Xunit;

namespace Talos.Policy.Tests;

/// <summary>Answers that Go's libraries give and the conformance cases here do not ask for.</summary>
public sealed class BuiltinTests
{
    [Theory]
    [InlineData("""regex.replace("abc-123", `(?P<w>[a-z]+)-(\d+)`, "${2}$w x$3")""", "\"123abc x\"")]
    [InlineData("""regex.find_n("(?i)a+", "AaBaa", -1)""", """["Aa","aa"]""")]
    [InlineData("""regex.is_valid("a(?=b)")""", "false")]
    [InlineData("""sprintf("%08.3f|%d|%s|%5s|%-5s|%x|%q", [3.14159, 1.5, 1, "ab", "cd", 255, "q"])""", "\"0003.142|%!d(float64=1.5)|%!s(int=1)|   ab|cd   |ff|\\\"q\\\"\"")]
    [InlineData("""time.format([1451606400123456789, "UTC", "Mon Jan _2 15:04:05.000 MST 2006"])""", "\"Fri Jan  1 00:00:00.123 UTC 2016\"")]
    [InlineData("""9223372036854775807 + 1""", "9223372036854775808")]
    [InlineData("""-9223372036854775808 - 1""", "-9223372036854775809")]
    [InlineData("""9223372036854775807 * -9223372036854775808""", "-85070591730234615856620279821087277056")]
    [InlineData("""4611686018427387904 * -2""", "-9223372036854775808")]
    [InlineData("""1.0 + 2""", "3")]
    [InlineData("""10 / 4""", "2.5")]
    [InlineData("""round(-2.5)""", "-3")]
    [InlineData("""yaml.unmarshal("a: [1, 2]\nb: {c: yes}\n")""", """{"a":[1,2],"b":{"c":true}}""")]
    [InlineData("""count("héé😀")""", "4")]
    [InlineData("""{k: v | some k, v in {"x": 1}}""", """{"x":1}""")]
    [InlineData("""strings.render_template(`{{define "item"}}<{{.}}>{{end}}{{range .l}}{{template "item" .}}{{end}}`, {"l": ["a", "b"]})""", "\"<a><b>\"")]
    [InlineData("""strings.render_template(`{{block "b" .x}}[{{.}}]{{end}}{{template "b" "y"}}`, {"x": "1"})""", "\"[1][y]\"")]
    [InlineData("""strings.render_template(`{{range .l}}{{if eq . "b"}}{{continue}}{{end}}{{if eq . "d"}}{{break}}{{end}}{{.}}{{end}}`, {"l": ["a", "b", "c", "d", "e"]})""", "\"ac\"")]
    [InlineData("""strings.render_template(`{{with .a}}{{.}}{{else with .b}}{{.}}!{{end}}`, {"a": "", "b": "z"})""", "\"z!\"")]
    [InlineData("""strings.render_template(`{{html .a}} {{js .a}} {{slice .a 1 3}} {{slice .a}}`, {"a": "<'a"})""", "\"&lt;&#39;a \\\\u003C\\\\'a 'a <'a\"")]
    [InlineData("""strings.render_template(`{{println "a" "b"}}`, {})""", "\"a b\\n\"")]
    [InlineData("""strings.render_template(`{{if .n}}t{{end}} {{eq .n "0"}} {{lt .a .b}} {{.b}} {{len .b}} {{printf "%s" .b}}`, {"n": 0, "a": 10, "b": 9.5})""", "\"t true true 9.5 3 9.5\"")]
    [InlineData("""strings.render_template(`{{eq 1 1}} {{if 0}}t{{end}} {{lt 9 10}} {{index .l 0}}`, {"l": [1]})""", "\"true  true 1\"")]
    [InlineData("""[strings.split_n("a.b.c", ".", n) | some n in [2, -2, 0, 7, -7]]""", """[["a","b"],["b","c"],[],["a","b","c"],["a","b","c"]]""")]
    public void Accepts_what_go_answers(string expression, string expected) =>
        Assert.Equal("{\"x\":" + expected + "}", Assert.Single(RegoProgram.Compile([]).Query("x = " + expression)));

    [Theory]
    [InlineData("""{{template "x"}}""")]
    [InlineData("""{{define "x"}}{{template "x"}}{{end}}{{template "x"}}""")]
    [InlineData("""{{break}}""")]
    [InlineData("""{{range .l}}{{define "x"}}{{continue}}{{end}}{{end}}""")]
    [InlineData("""{{define "x"}}""")]
    [InlineData("""{{define}}{{end}}""")]
    [InlineData("""{{block "x"}}{{end}}""")]
    [InlineData("""{{slice .l 2}}""")]
    [InlineData("""{{eq .n 1}}""")]
    [InlineData("""{{lt .n 2}}""")]
    [InlineData("""{{eq 1 1.5}}""")]
    [InlineData("""{{lt true true}}""")]
    [InlineData("""{{eq .l .l}}""")]
    public void Rejects_templates_that_go_refuses(string template) =>
        Assert.Empty(RegoProgram.Compile([]).Query($$"""x = strings.render_template(`{{template}}`, {"l": ["a"], "n": 1})"""));

    [Fact]
    public void Declares_every_builtin_with_as_many_arguments_as_it_takes()
    {
        // Equations have a rule of their own in the checker, `print` takes anything.
        IEnumerable<string> wrong = BuiltinRegistry.Everything
            .Where(b => b.Arity >= 0 && b.Name is not ("eq" or "assign" or "print") && !b.Name.StartsWith("internal.", StringComparison.Ordinal))
            .Where(b => BuiltinTypes.Find(b.Name)?.Args.Length != b.Arity).Select(b => b.Name);
        Assert.Empty(wrong);
        foreach ((string name, _) in BuiltinTypes.Everything) Assert.True(BuiltinRegistry.Exists(name), name);
    }
}
