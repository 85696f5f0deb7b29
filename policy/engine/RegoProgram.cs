using System.Text.Json;

namespace Talos.Policy;

/// <summary>An error that ended an evaluation. Codes are OPA's; <c>eval_cancel_error</c> names the limit that was reached.</summary>
public sealed class RegoException(string code, string place, string message) : Exception(place.Length == 0 ? $"{code}: {message}" : $"{place}: {code}: {message}")
{
    public string Code { get; } = code;
}

/// <summary>How a query is answered.</summary>
public sealed record RegoQueryOptions
{
    public static RegoQueryOptions Default { get; } = new();

    public EvaluationLimits Limits { get; init; } = EvaluationLimits.Offline;

    /// <summary>Errors of builtins end the query; otherwise they make the expression undefined.</summary>
    public bool StrictBuiltinErrors { get; init; }

    /// <summary>Lets builtins reach the network.</summary>
    public bool AllowNetwork { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>A value for <c>input</c>.</summary>
public sealed class RegoInput
{
    RegoInput(Value value) => Value = value;

    internal Value Value { get; }

    /// <exception cref="PolicyException">Not one ground Rego term; JSON is one.</exception>
    public static RegoInput Parse(string term) => new(RegoProgram.Term(term));

    /// <summary>The document of a file.</summary>
    /// <param name="text">YAML if that is what the file's name says, else JSON, or one ground Rego term.</param>
    /// <param name="file">What errors call it.</param>
    /// <exception cref="PolicyException">It is not that; the error is that of the YAML or JSON.</exception>
    public static RegoInput Parse(string text, string file)
    {
        if (file.EndsWith(".yaml", StringComparison.Ordinal) || file.EndsWith(".yml", StringComparison.Ordinal))
        {
            try
            {
                return new(YamlDocument.Read(text));
            }
            catch (BuiltinException e)
            {
                throw new PolicyException("input_error", file, e.Message);
            }
        }
        try
        {
            return new(ValueJson.Parse(text));
        }
        catch (JsonException e)
        {
            try
            {
                return Parse(text);
            }
            catch (PolicyException)
            {
                throw new PolicyException([PolicyError.OfJson(file, e) with { Code = "input_error" }]);
            }
        }
    }
}

/// <summary>A compiled query over a program. Thread-safe.</summary>
public sealed class RegoQuery
{
    readonly Program _program;
    readonly Query _query;

    internal RegoQuery(Program program, Query query)
    {
        _program = program;
        _query = query;
    }

    /// <summary>Each solution as a JSON object from variable to value; empty when the query is undefined.</summary>
    /// <exception cref="RegoException">The evaluation failed.</exception>
    public IReadOnlyList<string> Run(RegoInput? input = null, RegoQueryOptions? options = null)
    {
        options ??= RegoQueryOptions.Default;
        try
        {
            List<ObjectValue> results = _query.Run(_program, input?.Value, new EvaluationOptions
            {
                Limits = options.Limits,
                StrictBuiltinErrors = options.StrictBuiltinErrors,
                AllowNetwork = options.AllowNetwork,
                Clock = options.Clock,
            });
            return [.. results.Select(r => ValueJson.Format(r))];
        }
        catch (EvaluationException e)
        {
            throw new RegoException(e.Code, e.At is { } at ? $"{at.Source.File}:{at.Line}" : "", e.Message);
        }
    }
}

/// <summary>Compiled Rego modules with their data, for tools and tests. Immutable and thread-safe.</summary>
public sealed class RegoProgram
{
    readonly Program _program;

    internal RegoProgram(Program program) => _program = program;

    /// <param name="modules">File names and texts.</param>
    /// <param name="dataJson">The base document <c>data</c>, a JSON object.</param>
    /// <exception cref="PolicyException">A module is in error; all errors of all modules are listed.</exception>
    public static RegoProgram Compile(IEnumerable<(string File, string Text)> modules, string dataJson = "{}")
    {
        var errors = new List<PolicyError>();
        Value data;
        try
        {
            data = ValueJson.Parse(dataJson);
        }
        catch (JsonException e)
        {
            throw new PolicyException([new PolicyError("data_error", "data", (int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1, "the data is not valid JSON")]);
        }
        if (data is not ObjectValue) throw new PolicyException("data_error", "data", "the data must be a JSON object");
        Program? program = Compiler.Compile(modules, data, errors);
        return program is null ? throw new PolicyException(errors) : new RegoProgram(program);
    }

    /// <summary>Each solution as a JSON object from variable to value; empty when the query is undefined.</summary>
    /// <param name="query">A Rego body.</param>
    /// <param name="input">A Rego term (JSON is one); null leaves <c>input</c> undefined.</param>
    /// <param name="options">Limits and permissions.</param>
    /// <exception cref="PolicyException">The query or the input does not parse or compile.</exception>
    /// <exception cref="RegoException">The evaluation failed.</exception>
    public IReadOnlyList<string> Query(string query, string? input = null, RegoQueryOptions? options = null) =>
        Prepare(query).Run(input is null ? null : RegoInput.Parse(input), options);

    /// <summary>Compiles a query once, to run it often.</summary>
    /// <exception cref="PolicyException">The query does not parse or compile.</exception>
    public RegoQuery Prepare(string query)
    {
        var errors = new List<PolicyError>();
        return Compiler.CompileQuery(_program, query, errors) is { } compiled ? new RegoQuery(_program, compiled) : throw new PolicyException(errors);
    }

    /// <summary>A ground term's value.</summary>
    internal static Value Term(string text)
    {
        var errors = new List<PolicyError>();
        var empty = new Program(new DocNode(null, null), ObjectValue.Empty, []);
        Query? query = Compiler.CompileQuery(empty, "x = " + text, errors);
        if (query is null) throw new PolicyException(errors);
        List<ObjectValue> results = query.Run(empty, null, EvaluationOptions.Default with { Limits = EvaluationLimits.Offline });
        return results is [var only] ? only.Find("x")! : throw new PolicyException("input_error", "input", "the input is not one ground term");
    }
}
