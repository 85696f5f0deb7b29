using Xunit;

namespace Talos.Policy.Tests;

/// <summary>Modules that OPA's documentation says must not compile, with the code it gives and the place we point to.</summary>
public sealed class CompileErrorTests
{
    [Theory]
    [InlineData("p if { x > 1 }", "rego_unsafe_var_error", 3, 8)]
    [InlineData("p := x", "rego_unsafe_var_error", 3, 1)]
    [InlineData("p contains x if { not data.q[x] }", "rego_unsafe_var_error", 3, 19)]
    [InlineData("p if { not input.a[_] }", "rego_unsafe_var_error", 3, 8)]
    [InlineData("p if { f(x) }\nf(y) := y", "rego_unsafe_var_error", 3, 8)]
    [InlineData("p if { every x in input.xs { x > y } }", "rego_unsafe_var_error", 3, 30)]
    [InlineData("p[x] := 1 if { input.y }", "rego_unsafe_var_error", 3, 1)]
    [InlineData("p if { q }\nq if { p }", "rego_recursion_error", 3, 1)]
    [InlineData("p if { data.test[x] }", "rego_recursion_error", 3, 1)]
    [InlineData("f(x) := f(x - 1)", "rego_recursion_error", 3, 1)]
    [InlineData("p := 1\np contains 2", "rego_type_error", 3, 1)]
    [InlineData("p if any([true])", "rego_type_error", 3, 6)]
    [InlineData("p := [x | x := cast_string(1)]", "rego_type_error", 3, 16)]
    [InlineData("p if re_match(\"a\", \"a\")", "rego_type_error", 3, 6)]
    [InlineData("f(x) := x\nf(x, y) := y", "rego_type_error", 3, 1)]
    [InlineData("f(x) := x\nf := 2", "rego_type_error", 3, 1)]
    [InlineData("p := 1\np.q := 2", "rego_type_error", 3, 1)]
    [InlineData("default p := 1\ndefault p := 2", "rego_type_error", 1, 1)]
    [InlineData("p if { nope(1) }", "rego_type_error", 3, 8)]
    [InlineData("p if { count(1, 2, 3) }", "rego_type_error", 3, 8)]
    [InlineData("p if { count(1) }", "rego_type_error", 3, 8)]
    [InlineData("p if { startswith(1, \"a\") }", "rego_type_error", 3, 8)]
    [InlineData("p := 1 + \"a\"", "rego_type_error", 3, 6)]
    [InlineData("p if { x := \"a\"; x + 1 }", "rego_type_error", 3, 18)]
    [InlineData("p := 1\nq if { p == \"a\" }", "rego_type_error", 4, 8)]
    [InlineData("p if { 1 == \"a\" }", "rego_type_error", 3, 8)]
    [InlineData("p if { x := count(input.a); x = \"a\" }", "rego_type_error", 3, 29)]
    [InlineData("p := 1\nq := startswith(p, \"a\")", "rego_type_error", 4, 6)]
    [InlineData("f(x) := [x]\nq := upper(f(1))", "rego_type_error", 4, 6)]
    [InlineData("p := 1\nq := p.x", "rego_type_error", 4, 6)]
    [InlineData("p contains 1\nq if { p == {} }", "rego_type_error", 4, 8)]
    [InlineData("p := 1 if { input.a } else := \"a\"\nq := count(p.b)\nr := p.c", "rego_type_error", 4, 12)]
    [InlineData("default p := false\np := true if { input.a }\nq := p + 1", "rego_type_error", 5, 6)]
    [InlineData("p if { x := {\"a\": 1}; x.b }", "rego_type_error", 3, 23)]
    [InlineData("p := {\"a\": 1}\nq := p.a.b", "rego_type_error", 4, 6)]
    [InlineData("p := {\"a\": {\"b\": 1}}\nq := p.a.c", "rego_type_error", 4, 6)]
    [InlineData("p := {\"a\": 1}\nq := r.a + 1\nr := {k: upper(v) | some k, v in p}", "rego_type_error", 5, 10)]
    [InlineData("p := [1, \"a\"][1] + 1", "rego_type_error", 3, 6)]
    [InlineData("p := [1, 2]\nq := p[2]", "rego_type_error", 4, 6)]
    [InlineData("p := [1, 2]\nq := p.a", "rego_type_error", 4, 6)]
    [InlineData("p := [1, 2]\nq := p[-1]", "rego_type_error", 4, 6)]
    [InlineData("p if { some x in [\"a\"]; x + 1 > 0 }", "rego_type_error", 3, 25)]
    [InlineData("p if { some x in 1; x }", "rego_type_error", 3, 18)]
    [InlineData("p if { some x in \"abc\"; x }", "rego_type_error", 3, 18)]
    [InlineData("p := 1\nq if { p[_] }", "rego_type_error", 4, 8)]
    [InlineData("p if { some k, v in [1]; upper(k) == v }", "rego_type_error", 3, 26)]
    [InlineData("p if { some i, \"a\" in [1]; i }", "rego_type_error", 3, 13)]
    [InlineData("p if { {\"a\": 1} == {\"a\": \"1\"} }", "rego_type_error", 3, 8)]
    [InlineData("p if { {\"a\": 1} == {\"b\": 1} }", "rego_type_error", 3, 8)]
    [InlineData("p if { [1, 2] == [1] }", "rego_type_error", 3, 8)]
    [InlineData("p if { [x, y] := [1]; x == y }", "rego_type_error", 3, 8)]
    [InlineData("p if { [x, y] := [1, \"a\"]; x + y > 0 }", "rego_type_error", 3, 28)]
    [InlineData("p if { {\"a\": x} := {\"a\": \"s\"}; x + 1 > 0 }", "rego_type_error", 3, 32)]
    [InlineData("p if { {\"a\": x} := {\"b\": 1}; x }", "rego_type_error", 3, 8)]
    [InlineData("p if { {1} == {\"a\"} }", "rego_type_error", 3, 8)]
    [InlineData("p contains 1\nq if { p.a }", "rego_type_error", 4, 8)]
    [InlineData("p := sum([1, \"a\"])", "rego_type_error", 3, 6)]
    [InlineData("p := concat(\",\", {1, 2})", "rego_type_error", 3, 6)]
    [InlineData("p := sum(split(\"1,2\", \",\"))", "rego_type_error", 3, 6)]
    [InlineData("p := time.format([1, 2])", "rego_type_error", 3, 6)]
    [InlineData("p := object.union_n([{}, 1])", "rego_type_error", 3, 6)]
    [InlineData("p := union({1, 2})", "rego_type_error", 3, 6)]
    [InlineData("p := io.jwt.decode(\"\")[3]", "rego_type_error", 3, 6)]
    [InlineData("p if { walk([1], [path, value, more]); path == [value, more] }", "rego_type_error", 3, 8)]
    [InlineData("p if { count([1], \"a\") }", "rego_type_error", 3, 8)]
    [InlineData("f(x) := {\"a\": x + 1}\nq := f(1).b", "rego_type_error", 4, 6)]
    [InlineData("f(x) := x + 1\nq := f(\"a\")", "rego_type_error", 4, 6)]
    [InlineData("f([a, b]) := a + b\nq := f([1, 2, 3])", "rego_type_error", 4, 6)]
    [InlineData("f(1) := 1\nf(2) := 2\nq := f(\"a\")", "rego_type_error", 5, 6)]
    [InlineData("f(x) := x if { is_number(x) } else := upper(x)\ng(x) := f(x).a\nh := [y | y := g(1)][0].b\ni := {\"a\": [upper(1)]}", "rego_type_error", 6, 13)]
    [InlineData("p[x] := 1 if { some x in [\"a\"] }\nq := p.a.b", "rego_type_error", 4, 6)]
    [InlineData("p[x] := 1 if { some x in [1] }\nq := p.a", "rego_type_error", 4, 6)]
    [InlineData("p if { every x in [1] { upper(x) == \"A\" } }", "rego_type_error", 3, 25)]
    [InlineData("p := [upper(x) | some x in [1]]", "rego_type_error", 3, 7)]
    [InlineData("p := $\"a {upper(1)}\"", "rego_type_error", 3, 11)]
    [InlineData("p if { not upper(1) == \"A\" }", "rego_type_error", 3, 12)]
    [InlineData("p if { x := 1; x := 2 }", "rego_compile_error", 3, 16)]
    [InlineData("p if { x; x := 2 }", "rego_compile_error", 3, 11)]
    [InlineData("p if { some x; input.a }", "rego_compile_error", 3, 8)]
    [InlineData("p if { input.x := 1 }", "rego_compile_error", 3, 8)]
    [InlineData("p if { data := 1 }", "rego_compile_error", 3, 8)]
    [InlineData("input := 1", "rego_compile_error", 3, 1)]
    [InlineData("p if { q with data.test.r.x as 1 }\nq := 1\nr := {}", "rego_compile_error", 3, 15)]
    [InlineData("p if { true with foo as 1 }", "rego_type_error", 3, 18)]
    [InlineData("p { true }", "rego_parse_error", 3, 3)]
    [InlineData("p if { }", "rego_parse_error", 3, 8)]
    [InlineData("p if { x := 1 y := 2 }", "rego_parse_error", 3, 15)]
    [InlineData("p := \"a", "rego_parse_error", 3, 6)]
    [InlineData("p := \"\\q\"", "rego_parse_error", 3, 7)]
    [InlineData("p := 01", "rego_parse_error", 3, 6)]
    [InlineData("p := [1, 2", "rego_parse_error", 3, 11)]
    [InlineData("p := 'a'", "rego_parse_error", 3, 6)]
    [InlineData("default p := input.x", "rego_parse_error", 3, 1)]
    [InlineData("default f(1) := 1", "rego_parse_error", 3, 1)]
    [InlineData("p if { not some x in [1] }", "rego_parse_error", 3, 12)]
    [InlineData("p contains 1 if { true } else := 2", "rego_parse_error", 3, 26)]
    [InlineData("f() := 1", "rego_parse_error", 3, 1)]
    [InlineData("p := $\"{}\"", "rego_parse_error", 3, 9)]
    public void Rejects_a_module_with_code_and_place(string body, string code, int line, int column)
    {
        PolicyError[] errors = Errors("package test\n\n" + body);
        Assert.Contains(errors, e => e.Code == code);
        PolicyError first = errors.First(e => e.Code == code);
        Assert.Equal((line, column), (first.Line, first.Column));
        Assert.False(first.Message.EndsWith('.') || char.IsUpper(first.Message[0]), first.Message);
    }

    [Theory]
    [InlineData("", "rego_parse_error")]
    [InlineData("p := 1", "rego_parse_error")]
    [InlineData("package a.b[1]", "rego_parse_error")]
    [InlineData("package a\nimport foo.bar", "rego_parse_error")]
    [InlineData("package a\nimport rego.v7", "rego_parse_error")]
    [InlineData("package a\nimport data.x\nimport data.y.x", "rego_compile_error")]
    [InlineData("package a\nimport data.x as input", "rego_compile_error")]
    [InlineData("package a\n# METADATA\n# scope: nowhere\np := 1", "rego_parse_error")]
    [InlineData("package a\n# METADATA\n# title: [\np := 1", "rego_parse_error")]
    public void Rejects_a_whole_module(string text, string code) => Assert.Contains(Errors(text), e => e.Code == code);

    [Theory]
    [InlineData("p := 1 if { input.a } else := \"a\"\nq if { p == \"a\" }")]
    [InlineData("p := input.a\nq := p + 1\nr := upper(p)\ns := p.x")]
    [InlineData("p := 1\nq if { p == \"a\" with data.test.p as \"a\" }")]
    [InlineData("p.a := 1\np[x] := 2 if { some x in input.xs }\nq := p.a + p.b")]
    [InlineData("p[x] contains y if { some x, y in input }\nq := p.a.b")]
    [InlineData("f(x) := x\nq := f(1) + 1\nr := upper(f(\"a\"))")]
    [InlineData("p := input.a.b.c + 1\nq := upper(input.a.b.c)")]
    [InlineData("p if { x := {\"a\": 1, input.k: \"s\"}; upper(x.b) }")]
    [InlineData("p if { x := [1, \"a\"]; some i; upper(x[i]) }")]
    [InlineData("p if { some x in [1, \"a\"]; x + 1 > 1; upper(x) }")]
    [InlineData("p := {\"a\": 1} if { input.a } else := {\"b\": 2}\nq := p.a\nr := p.b")]
    [InlineData("p[x] := v if { some x, v in input }\nq := p.a.b.c")]
    [InlineData("p[x].a := 1 if { some x in input.a }\np[x].b := 2 if { some x in input.b }\nq if { p.k == {\"a\": 1, \"b\": 2} }")]
    [InlineData("p contains x if { some x in input.a }\nq if { p.a; p[1] }")]
    [InlineData("f(x) := x.a if { is_object(x) }\nf(x) := x if { is_string(x) }\nq := f(\"a\")\nr := f({\"a\": 1})")]
    [InlineData("f(\"a\") := 1\nf(1) := 2\nq := f(\"b\") + f(2)")]
    [InlineData("f(x) := 1 if { startswith(x, \"a\") }\nq := f(input.a)")]
    [InlineData("f([x, y]) := x + y\nq := f([1, 2])\nr := f(input.pair)")]
    [InlineData("p := []\nq := p[0].a\nr if { some x in p; x.y == 1 }")]
    [InlineData("p := {}\nq := p.a.b\nr := count({}) + count(set()) + count([])")]
    [InlineData("p := sum([])\nq := concat(\",\", set())\nr := object.union({}, {\"a\": 1}).a + 1")]
    [InlineData("p if { [a, b] := split(input.s, \":\"); a == b }")]
    [InlineData("p if { {\"a\": x, \"b\": y} := input; x + 1 == 2; upper(y) == \"A\" }")]
    [InlineData("p if { walk(input, [path, value]); count(path) > 0; value.a }")]
    [InlineData("p := time.format([1, \"UTC\", \"RFC822\"])\nq := time.format(1)\nr := time.date([1, \"UTC\"])[0] + 1")]
    [InlineData("p if { [h, c, s] := io.jwt.decode(input.t); h.alg == \"none\"; c.sub == upper(s) }")]
    [InlineData("p if { x := input.a; x + 1 > 1; upper(x) == \"A\" }")]
    [InlineData("p := 1\nq := p - 1 + 1\nr := {1} - {2} | {3}")]
    [InlineData("p := {1, \"a\"}\nq if { p[1]; p.a; not p[2] }")]
    [InlineData("p := {\"a\": [{\"b\": 1}]}\nq := p.a[0].b + 1\nr := p.a[_].b + 1\ns := p[\"a\"][x].b if { x := 0 }")]
    [InlineData("f(x) := x + 1\nq if { f(\"a\") == \"A\" with data.test.f as upper }")]
    [InlineData("p if { every k, v in {\"a\": 1} { v + 1 > 0; upper(k) == \"A\" } }")]
    public void Accepts_what_may_hold(string body) => Assert.NotNull(RegoProgram.Compile([("test.rego", "package test\n\n" + body)]));

    [Theory]
    [InlineData("f(x) := 1", "unused argument `x`", 3, 1)]
    [InlineData("f(x, [y, _]) := x", "unused argument `y`", 3, 1)]
    [InlineData("default f(x) := 1", "unused argument `x`", 3, 9)]
    [InlineData("p if { x := 1 }", "assigned var `x` unused", 3, 8)]
    [InlineData("p if {\n\t[x, y] := input.a\n\tx\n}", "assigned var `y` unused", 4, 2)]
    [InlineData("p := [1 | x := 1]", "assigned var `x` unused", 3, 11)]
    [InlineData("p if { every x in [1] { y := x } }", "assigned var `y` unused", 3, 25)]
    [InlineData("p if { input.a } else if { x := 1 }", "assigned var `x` unused", 3, 28)]
    public void Rejects_what_nothing_uses_when_strict_only(string body, string message, int line, int column)
    {
        string text = "package test\n\n" + body;
        Assert.NotNull(RegoProgram.Compile([("test.rego", text)]));
        var errors = new List<PolicyError>();
        Assert.Null(Compiler.Compile([("test.rego", text)], ObjectValue.Empty, errors, strict: true));
        PolicyError error = Assert.Single(errors);
        Assert.Equal(("rego_compile_error", message, line, column), (error.Code, error.Message, error.Line, error.Column));
    }

    [Theory]
    [InlineData("f(x) := x")]
    [InlineData("f(_) := 1")]
    [InlineData("f(x) if { input[x] }")]
    [InlineData("f(x) := 1 if { input.a } else := x")]
    [InlineData("p contains x if { x := 1 }")]
    [InlineData("p[x] := 1 if { x := \"a\" }")]
    [InlineData("p if { x := 1; [y | y := x] == [1] }")]
    [InlineData("p if { x := 1; input.a with input.b as x }")]
    [InlineData("p if { x := 1; $\"{x}\" == \"1\" }")]
    [InlineData("p if { _ := 1 }")]
    [InlineData("p if { some i, x in [1]; x == 1 }")]
    public void Accepts_what_something_uses_when_strict(string body)
    {
        var errors = new List<PolicyError>();
        Compiler.Compile([("test.rego", "package test\n\n" + body)], ObjectValue.Empty, errors, strict: true);
        Assert.Empty(errors);
    }

    [Fact]
    public void Rejects_a_package_with_the_name_of_a_rule_even_if_it_is_empty()
    {
        PolicyException e = Assert.Throws<PolicyException>(() => RegoProgram.Compile([("a.rego", "\npackage a\n\nb := 1\n"), ("b.rego", "package a.b\n")]));
        PolicyError error = Assert.Single(e.Errors);
        Assert.Equal(("rego_type_error", "a.rego", 2, 1), (error.Code, error.File, error.Line, error.Column));
        RegoProgram.Compile([("a.rego", "package a\n\nb[x] := 1 if { x := input.x }\n"), ("b.rego", "package a.b\n")]);
    }

    [Fact]
    public void Rejects_every_rule_of_a_circle()
    {
        PolicyError[] errors = Errors("package test\n\np if q\n\nq if r\n\nr if p\n\ns if p\n");
        Assert.All(errors, e => Assert.Equal("rego_recursion_error", e.Code));
        Assert.Equal([3, 5, 7], errors.Select(e => e.Line).Order());
        Assert.Contains(errors, e => e.Message.EndsWith("data.test.q -> data.test.r -> data.test.p -> data.test.q", StringComparison.Ordinal));
    }

    [Fact]
    public void Rejects_with_all_errors_of_all_modules_at_once()
    {
        PolicyException e = Assert.Throws<PolicyException>(() => RegoProgram.Compile([
            ("a.rego", "package a\n\np := ]\n\nq := [1\n\nr := 1\n\ns := }\n"), ("b.rego", "package b\n\np = = 1\n")]));
        Assert.True(e.Errors.Count >= 4, e.Message);
        Assert.Equal(["a.rego", "b.rego"], e.Errors.Select(x => x.File).Distinct());
    }

    [Fact]
    public void Rejects_a_module_that_is_too_long_or_nests_too_deeply()
    {
        Assert.Contains("longer than", Errors("package a\n\np := \"" + new string('x', 4 << 20) + "\"")[0].Message, StringComparison.Ordinal);
        Assert.Contains("deeper than", Errors("package a\n\np := " + new string('[', 5000) + new string(']', 5000))[0].Message, StringComparison.Ordinal);
    }

    static PolicyError[] Errors(string text) => [.. Assert.Throws<PolicyException>(() => RegoProgram.Compile([("test.rego", text)])).Errors];
}
