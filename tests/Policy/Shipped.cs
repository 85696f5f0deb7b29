using System.Text.RegularExpressions;

namespace Talos.Policy.Tests;

/// <summary>What the tests share: the repository's root, the shipped bundle, the methods that the contracts declare.</summary>
static partial class Shipped
{
    public static string Root { get; } = FindRoot();
    public static string BundlePath => Path.Combine(Root, "policy", "bundle");
    public static PolicyBundle Bundle { get; } = PolicyBundle.Load(BundlePath);
    public static string[] Methods { get; } = ReadMethods();
    public static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static AuthorizationCaller Caller(params string[] roles) =>
        AuthorizationCaller.Named("alice", roles, "01ab", "spiffe://talos.test/user/alice", Now.AddHours(-1), Now.AddHours(7), "192.0.2.7");

    public static AuthorizationInput Input(string method, params string[] roles) => new() { RevocationAge = TimeSpan.Zero, Caller = Caller(roles), Method = method, Time = Now };

    static string FindRoot()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "Talos.sln"))) return d.FullName;
        throw new InvalidOperationException("the tests run outside the repository");
    }

    static string[] ReadMethods()
    {
        var methods = new List<string>();
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Root, "api", "contracts", "Protos"), "*.proto", SearchOption.AllDirectories))
        {
            string text = File.ReadAllText(file), package = PackagePattern().Match(text).Groups[1].Value, service = "";
            foreach (Match m in RpcPattern().Matches(text))
                if (m.Groups[1].Success) service = m.Groups[1].Value;
                else methods.Add($"/{package}.{service}/{m.Groups[2].Value}");
        }
        return [.. methods.Order(StringComparer.Ordinal)];
    }

    [GeneratedRegex(@"^package ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex PackagePattern();

    [GeneratedRegex(@"^service (\w+)|^\s+rpc (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex RpcPattern();
}
