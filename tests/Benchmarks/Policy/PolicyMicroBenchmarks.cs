using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Talos.Policy;

namespace Talos.Benchmarks;

/// <summary>One decision, by the table and by evaluation; one evaluation over few rules and over many; one regular expression.</summary>
[MemoryDiagnoser(displayGenColumns: false)]
public class PolicyMicroBenchmarks
{
    readonly Authorizer authorizer = PolicyBenchmarks.Shipped();
    readonly AuthorizationInput allowed = PolicyBenchmarks.Allowed(), general = PolicyBenchmarks.General();
    readonly (RegoQuery Query, RegoInput Input) few = PolicyBenchmarks.Rules(10), many = PolicyBenchmarks.Rules(10_000);
    readonly RegoQuery regex = RegoProgram.Compile([("r.rego", "package r\n\np if regex.match(`^[a-z]+-[0-9]{1,3}\\.example\\.org$`, input.host)\n")]).Prepare("data.r.p = x");
    readonly RegoInput host = RegoInput.Parse("""{"host": "worker-17.example.org"}""");

    [Benchmark]
    public Decision KnownDecision() => authorizer.Decide(allowed);

    [Benchmark]
    public Decision GeneralEvaluation() => authorizer.Decide(general);

    [Benchmark]
    public IReadOnlyList<string> EvaluationOver10Rules() => few.Query.Run(few.Input);

    [Benchmark]
    public IReadOnlyList<string> EvaluationOver10000Rules() => many.Query.Run(many.Input);

    [Benchmark]
    public IReadOnlyList<string> RuleWithRegularExpression() => regex.Run(host);

    /// <summary>In this process: a program made for each benchmark would need the solution's settings, which are not for programs like that.</summary>
    internal static void Run()
    {
        IConfig config = ManualConfig.CreateEmpty()
            .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(4).WithIterationCount(10))
            .AddColumnProvider(DefaultColumnProviders.Instance).HideColumns(Column.Job, Column.Toolchain, Column.IterationCount, Column.WarmupCount, Column.Error)
            .AddColumn(StatisticColumn.P50, StatisticColumn.P95)
            .AddLogger(NullLogger.Instance)
            .WithOptions(ConfigOptions.DisableLogFile)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "talos-benchmarks"));
        Summary summary = BenchmarkRunner.Run<PolicyMicroBenchmarks>(config);
        if (summary.HasCriticalValidationErrors) throw new InvalidOperationException(string.Join('\n', summary.ValidationErrors.Select(e => e.Message)));
        MarkdownExporter.GitHub.ExportToLog(summary, ConsoleLogger.Unicode);
        Console.WriteLine();
    }
}
