using Xunit;

namespace Talos.Policy.Tests;

/// <summary>Every builtin with arguments of every kind: a value, undefined, or an error of its own; never another exception.</summary>
public sealed class BuiltinFuzzTests
{
    static readonly string[] Texts =
    [
        "", "a", "é\U0001F600", "\uD800", "1", "-1.5e3", "NaN", "[", "{\"a\": [1]}", "(", "a{2,1}", "*", "**[a-", "{a,b", "%d %v %[9]d %*.*s %!", "2006-01-02T15:04:05Z", "1h30m", "10.0.0.0/8", "::1/129", "999.1.1.1",
        "YWJj", "=", "%zz", "a.b.c", "e30.e30.e30", "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----", "urn:uuid:00000000-0000-1000-8000-000000000000", "1.2.3-rc.1+b", "12KiB", "{{range .x}}{{.}}{{end}}", "{{",
        "query { a(b: [1, {c: $d}]) @x }", "type A { b: C! }", "- a: &x 1\n  b: *x\n", ": :\n\t- ?", "a;b=c&d", "/a/~1/0", "{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQ\",\"d\":\"AQ\"}", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"\"}]}",
        "package a\np := 1", "http://", "America/New_York", "+5", "\0",
    ];

    static Value Any(Random random, int depth)
    {
        switch (random.Next(depth > 2 ? 5 : 8))
        {
            case 0: return NullValue.Instance;
            case 1: return Value.From(random.Next(2) == 0);
            case 2: return Value.From(random.Next(-3, 100));
            case 3: return NumberValue.Parse(new[] { "0.5", "-1e30", "123456789012345678901234567890", "1.0", "9223372036854775807", "-9223372036854775808", "1e-20" }[random.Next(7)])!;
            case 4: return Value.From(Texts[random.Next(Texts.Length)]);
            case 5: return new ArrayValue([.. Enumerable.Range(0, random.Next(4)).Select(_ => Any(random, depth + 1))]);
            case 6: return SetValue.From([.. Enumerable.Range(0, random.Next(4)).Select(_ => Any(random, depth + 1))]);
            default:
                var members = new Dictionary<Value, Value>();
                string[] names = ["op", "path", "value", "type", "properties", "pretty", "indent", "alg", "kty", "secret", "cert", "method", "url", "a", "x", "KeyUsages", "$ref"];
                for (int i = random.Next(4); i > 0; i--) members[random.Next(4) == 0 ? Any(random, depth + 1) : Value.From(names[random.Next(names.Length)])] = Any(random, depth + 1);
                return ObjectValue.From(members);
        }
    }

    [Fact]
    public void Survives_arguments_of_every_kind()
    {
        var random = new Random(7);
        var program = new Program(new DocNode(null, null), ObjectValue.Empty, []);
        var wrong = new List<string>();
        foreach (Builtin builtin in BuiltinRegistry.Everything.OrderBy(b => b.Name, StringComparer.Ordinal))
        {
            for (int i = 0; i < 300; i++)
            {
                Value[] args = [.. Enumerable.Range(0, Math.Max(0, builtin.Arity)).Select(_ => Any(random, 0))];
                try
                {
                    builtin.Invoke(new Evaluation(program, null, EvaluationOptions.Default), args);
                }
                catch (Exception e) when (e is BuiltinException or EvaluationException)
                {
                    // Its own way to refuse.
                }
                catch (Exception e)
                {
                    wrong.Add($"{builtin.Name}({string.Join(", ", args.Select(a => a.ToString()))}): {e.GetType().Name} {e.Message} {e.StackTrace?.Split('\n')[0]}");
                    break;
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    static Value Mutate(Random random, Value value)
    {
        if (random.Next(12) == 0) return Any(random, 0);
        switch (value)
        {
            case ArrayValue { Items.Length: > 0 } a:
                var items = (Value[])a.Items.Clone();
                int at = random.Next(items.Length);
                items[at] = Mutate(random, items[at]);
                return new ArrayValue(items);
            case ObjectValue { Count: > 0 } o:
                Value key = o.Keys.Sorted[random.Next(o.Count)];
                return random.Next(12) == 0 ? ObjectValue.From([.. o.Pairs.Where(p => !p.Key.Equals(key))]) : o.With(key, Mutate(random, o.Get(key)!));
            default:
                return Any(random, 0);
        }
    }

    [Theory]
    [InlineData("graphql.is_valid", 0, """graphql.parse_query("query A($x: [Int!] = 1) @d { a(b: {c: [$x]}) { ...F ... on B { d: e } } } fragment F on B { e @skip(if: true) }")""",
        """graphql.parse_schema("type Query { a(b: C!): U } input C { c: [Int!] = [1] } type B implements I { e: E } interface I { e: E } enum E { X } union U = B directive @d on QUERY schema { query: Query } extend type B { f: Int }")""")]
    [InlineData("json.match_schema", 1, """{"a": [1, "x", {"b": null}], "c": {"d": 1.5}}""", """
        {"$id": "http://e.test/a.json", "definitions": {"n": {"type": ["number", "null"], "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 0.5}}, "required": ["a"], "dependencies": {"a": ["c"], "c": {"minProperties": 1}},
         "properties": {"a": {"items": [{"$ref": "#/definitions/n"}, {"pattern": "^x", "format": "uri"}], "additionalItems": {"propertyNames": {"maxLength": 3}}, "uniqueItems": true, "contains": {"const": 1}}},
         "patternProperties": {"^c": {"anyOf": [{"enum": [1]}, {"allOf": [{"not": {"type": "array"}}]}], "oneOf": [{}]}}, "additionalProperties": false, "if": {}, "then": {}, "else": false}
        """)]
    [InlineData("json.patch", 1, """{"a": [1, {"b": {"c"}}]}""", """[{"op": "add", "path": "/a/0", "value": 1}, {"op": "move", "from": "/a/1", "path": "/d"}, {"op": "copy", "from": "/a", "path": ["e"]}, {"op": "test", "path": "", "value": 1}]""")]
    [InlineData("io.jwt.decode_verify", 1, "\"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln\"", """{"secret": "s", "alg": "HS256", "iss": "x", "aud": "y", "time": 1}""")]
    [InlineData("providers.aws.sign_req", 0, """{"method": "get", "url": "https://s.test/a?b=c", "headers": {"x": "y"}, "body": {"a": 1}}""", """{"aws_access_key": "a", "aws_secret_access_key": "b", "aws_service": "s3", "aws_region": "r", "aws_session_token": "t"}""")]
    public void Survives_documents_of_any_shape(string name, int which, string first, string second)
    {
        var random = new Random(11);
        var program = new Program(new DocNode(null, null), ObjectValue.Empty, []);
        Builtin builtin = BuiltinRegistry.Find(name)!;
        Value[] whole = [.. RegoProgram.Compile([]).Query($"x = {first}; y = {second}").Select(r => ValueJson.Parse(r)).SelectMany(r => (Value[])[r.Get("x")!, r.Get("y")!])];
        for (int i = 0; i < 3000; i++)
        {
            Value[] args = [.. whole, .. builtin.Arity > 2 ? (Value[])[Value.From(1)] : []];
            int mutated = random.Next(3) == 0 ? 1 - which : which;
            for (int n = random.Next(1, 4); n > 0; n--) args[mutated] = Mutate(random, args[mutated]);
            try
            {
                builtin.Invoke(new Evaluation(program, null, EvaluationOptions.Default), args);
            }
            catch (Exception e) when (e is BuiltinException or EvaluationException)
            {
                // Its own way to refuse.
            }
            catch (Exception e)
            {
                Assert.Fail($"{name}({string.Join(", ", args.Select(a => a.ToString()))}): {e}");
            }
        }
    }
}
