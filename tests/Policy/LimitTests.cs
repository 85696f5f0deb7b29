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
