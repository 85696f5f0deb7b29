using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Talos.Policy.Tests;

public sealed class LimitTests
{
    static readonly RegoProgram Endless = RegoProgram.Compile([("a.rego", """
        package a

        steps if {
            some i in numbers.range(1, 100000)
            some j in numbers.range(1, 100000)
            i + j < 0
        }

        memory := [x | some i in numbers.range(1, 100000); x := numbers.range(1, 10000)]

        result := numbers.range(1, 1000)

        big := numbers.range(1, 100000000)

        shift := bits.lsh(1, 100000000)

        send := http.send({"method": "get", "url": "http://127.0.0.1/"})

        lookup := net.lookup_ip_addr("example.org")
        """)]);

    static string Fails(string query, EvaluationLimits limits, TimeProvider? clock = null) =>
        Assert.Throws<RegoException>(() => Endless.Query(query, options: new RegoQueryOptions { Limits = limits, Clock = clock ?? TimeProvider.System, StrictBuiltinErrors = true })).Message;

    [Fact]
    public void Rejects_too_many_steps() => Assert.Contains("limit `steps`", Fails("data.a.steps", EvaluationLimits.Default with { Steps = 10_000 }), StringComparison.Ordinal);

    [Fact]
    public void Rejects_too_much_memory() => Assert.Contains("limit `memory`", Fails("x = data.a.memory", EvaluationLimits.Offline with { AllocatedBytes = 10_000_000 }), StringComparison.Ordinal);

    [Fact]
    public void Rejects_a_body_that_is_longer_than_the_stack()
    {
        string body = string.Concat(Enumerable.Repeat("\tinput.xs[_]\n", 4_000));
        RegoQuery query = RegoProgram.Compile([("long.rego", $"package long\n\np if {{\n{body}}}\n")]).Prepare("data.long.p = x");
        RegoInput input = RegoInput.Parse("""{"xs": [1]}""");
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(() => query.Run(input)), 256 << 10);
        thread.Start();
        thread.Join();
        Assert.Contains("limit `nesting`", Assert.IsType<RegoException>(failure).Message, StringComparison.Ordinal);
    }

    // What grew with the square of the body took minutes.
    [Theory]
    [InlineData("x{0} := 1 + {1}", 0)]
    [InlineData("x{0} = 1 + x{1}", 1)]
    [InlineData("x{0} := [y | y := {1}]", 0)]
    [InlineData("some x{0}, y{0} in [{1}]", 0)]
    public void Compiles_a_body_of_so_many_expressions_in_any_order(string expression, int last)
    {
        const int Length = 50_000;
        IEnumerable<string> body = Enumerable.Range(0, Length).Select(i => string.Format(CultureInfo.InvariantCulture, expression, i, i + 1));
        Assert.NotNull(RegoProgram.Compile([("long.rego", $"package long\n\np if {{\n{string.Join('\n', body)}\n{(last == 1 ? $"x{Length} = 1" : "")}\n}}\n")]));
    }

    [Fact]
    public void Rejects_text_that_doubles_its_readings_at_each_level()
    {
        string text = string.Concat(Enumerable.Repeat("[1 | ", 30)) + "1" + string.Concat(Enumerable.Repeat(", 2]", 30));
        PolicyException e = Assert.Throws<PolicyException>(() => RegoProgram.Compile([("a.rego", $"package a\n\np := {text}\n")]));
        Assert.Contains("too many ambiguous terms", e.Errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_too_large_a_result() => Assert.Contains("limit `result`", Fails("x = data.a.result", EvaluationLimits.Default with { ResultValues = 500 }), StringComparison.Ordinal);

    [Fact]
    public void Rejects_too_much_time()
    {
        var clock = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.FromMilliseconds(100) };
        Assert.Contains("limit `time`", Fails("data.a.steps", EvaluationLimits.Default, clock), StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_a_range_and_a_shift_without_bound()
    {
        Assert.Contains("a range has at most", Fails("x = data.a.big", EvaluationLimits.Default), StringComparison.Ordinal);
        Assert.Contains("a shift is at most", Fails("x = data.a.shift", EvaluationLimits.Default), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x = data.a.send")]
    [InlineData("x = data.a.lookup")]
    public void Rejects_the_network_even_when_errors_are_not_strict(string query) =>
        Assert.Contains("network access is refused", Assert.Throws<RegoException>(() => Endless.Query(query)).Message, StringComparison.Ordinal);

    const string Runaway = """
        package b

        a0 := [1, 2, 3, 4, 5, 6, 7, 8]
        double(a) := array.concat(a, a)
        large(a) := double(double(double(double(double(double(double(double(double(double(a))))))))))
        lists := large(large(large(a0)))
        text := concat("", [x | some i in numbers.range(1, 1000); x := "0123456789"])
        joined := concat(text, numbers_as_text)
        numbers_as_text := [x | some i in numbers.range(1, 1000); x := text]
        replaced := replace(text, "0", concat("", numbers_as_text))
        replaced_n := strings.replace_n({"0": concat("", numbers_as_text)}, text)
        matched := regex.replace(text, "0", concat("", numbers_as_text))
        marshalled := json.marshal_with_options([[[[[[[[text]]]]]]]], {"indent": concat("", numbers_as_text)})
        shared(x) := [x, x, x, x, x, x, x, x]
        deep := shared(shared(shared(shared(shared(shared(shared(shared(shared(shared(text))))))))))
        written := json.marshal(deep)
        formatted := sprintf("%v", [deep])
        padded := sprintf(concat("", [x | some i in numbers.range(1, 1000); x := "%999999d"]), numbers.range(1, 1000))
        divided := [split(concat("", numbers_as_text), "") | some i in numbers.range(1, 10)]
        square(x) := x * x
        product_of := square(square(square(square(square(1e30000)))))
        shifted := bits.lsh(bits.lsh(bits.lsh(bits.lsh(bits.lsh(1, 99999), 99999), 99999), 99999), 99999)
        """;

    [Theory]
    [InlineData("lists", "memory")]
    [InlineData("joined", "memory")]
    [InlineData("replaced", "memory")]
    [InlineData("replaced_n", "memory")]
    [InlineData("matched", "memory")]
    [InlineData("marshalled", "memory")]
    [InlineData("written", "memory")]
    [InlineData("formatted", "memory")]
    [InlineData("padded", "memory")]
    [InlineData("divided", "memory")]
    [InlineData("product_of", "numbers")]
    [InlineData("shifted", "numbers")]
    public void Rejects_what_one_builtin_would_make_too_large(string rule, string limit)
    {
        RegoProgram program = RegoProgram.Compile([("b.rego", Runaway)]);
        var limits = EvaluationLimits.Offline with { AllocatedBytes = 24 << 20 };
        long before = GC.GetAllocatedBytesForCurrentThread();
        RegoException stopped = Assert.Throws<RegoException>(() => program.Query($"x = count(data.b.{rule})", options: new RegoQueryOptions { Limits = limits }));
        Assert.Contains($"limit `{limit}`", stopped.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 128 << 20);
    }

    [Fact]
    public void Survives_numbers_with_many_zeros() =>
        Assert.Equal(["{\"x\":true}"], RegoProgram.Compile([]).Query("x = (1e30000 + 1 > 1e30000)"));

    [Fact]
    public void Survives_a_long_chain_of_rules()
    {
        string modules = "package a\n\nr0 := 1\n" + string.Concat(Enumerable.Range(1, 3000).Select(i => $"r{i} := r{i - 1} + 1\n"));
        RegoProgram chain = RegoProgram.Compile([("a.rego", modules)]);
        try
        {
            Assert.Equal(["{\"x\":3001}"], chain.Query("x = data.a.r3000"));
        }
        catch (RegoException e)
        {
            Assert.Contains("limit `nesting`", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Survives_deeply_nested_input_and_data()
    {
        string deep = new string('[', 900) + new string(']', 900);
        RegoProgram program = RegoProgram.Compile([("a.rego", "package a\n\np := count([x | walk(data.deep, [_, x])])\n")], $$"""{"deep": {{deep}}}""");
        Assert.Equal(["{\"x\":900}"], program.Query("x = data.a.p"));
        Assert.Throws<PolicyException>(() => RegoProgram.Compile([], $$"""{"deep": {{new string('[', 100_000)}}"""));
    }
}
