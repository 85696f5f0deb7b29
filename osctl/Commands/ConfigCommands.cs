using System.CommandLine;
using System.Text.Json.Nodes;
using Talos.Api.Configuration;
using Talos.Osctl.Contexts;
using Talos.Osctl.Output;
using Talos.Pki;

namespace Talos.Osctl.Commands;

static partial class ConfigCommands
{
    static readonly Argument<string> ContextName = new("CONTEXT") { Description = "Name of the context" };

    static readonly Argument<string> MergedFile = new("FILE") { Description = "File of contexts to take over" };

    static readonly Option<string[]> NodeEndpoints = new("--endpoint") { Description = "Where a node answers", HelpName = "NODE=HOST[:PORT],…" };

    static readonly Option<string> Trustd = new("--trustd") { Description = "Where trustd answers", HelpName = "HOST[:PORT]" };

    static readonly Option<string> CaFile = new("--ca") { Description = "Certificates to trust, PEM", HelpName = "FILE", Required = true };

    static readonly Option<string> CrtFile = new("--crt") { Description = "Your certificate, PEM", HelpName = "FILE", Required = true };

    static readonly Option<string> KeyFile = new("--key") { Description = "Your private key, PEM", HelpName = "FILE", Required = true };

    public static Verb Build() => new("config", "Manage contexts: clusters, their nodes, and as whom you speak to them")
    {
        Subcommands = { New(), Renew(), Info(), Contexts(), Use(), Add(), Remove(), Merge() },
    };

    static Verb Info() => new("info", "Show the context in use", "osctl config info", "osctl config info --context demo -o json")
    {
        Run = invocation =>
        {
            var context = invocation.Context();
            var leaf = Leaf(context);
            var expires = leaf is null ? "no certificate" : Expiry(leaf, invocation.Terminal.Time.GetUtcNow());
            if (invocation.IsTree)
            {
                TreeWriter.Write(invocation.Output, new JsonObject
                {
                    ["context"] = invocation.ContextName,
                    ["nodes"] = new JsonArray([.. context.Nodes.Select(n => (JsonNode)JsonValue.Create(n))]),
                    ["endpoints"] = new JsonObject(context.Endpoints.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)JsonValue.Create(e.Value.ToString())))),
                    ["via"] = context.Via,
                    ["trustd"] = context.Trustd?.ToString(),
                    ["name"] = leaf?.Subject.CommonNames.FirstOrDefault(),
                    ["roles"] = new JsonArray([.. (leaf?.Subject.Organizations ?? []).Select(r => (JsonNode)JsonValue.Create(r))]),
                    ["serial"] = leaf?.Serial,
                    ["expires"] = leaf?.NotAfter.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
                }, invocation.Format);
                return Task.FromResult(ExitCode.Done);
            }
            Line(invocation, "Current context", invocation.ContextName);
            Line(invocation, "Nodes", string.Join(", ", context.Nodes));
            Line(invocation, "Endpoints", string.Join(", ", context.Endpoints.Select(e => $"{e.Key}={e.Value}")));
            if (context.Via is { } via) Line(invocation, "Via", via);
            Line(invocation, "Trustd", context.Trustd?.ToString() ?? "-");
            Line(invocation, "Name", leaf?.Subject.CommonNames.FirstOrDefault() ?? "-");
            Line(invocation, "Roles", leaf is null ? "-" : string.Join(", ", leaf.Subject.Organizations));
            Line(invocation, "Certificate expires", expires);
            return Task.FromResult(ExitCode.Done);
        },
    };

    static Verb Contexts() => new("contexts", "List the contexts", "osctl config contexts")
    {
        Run = invocation =>
        {
            var content = invocation.File.Content;
            if (invocation.IsTree)
            {
                TreeWriter.Write(invocation.Output, new JsonArray([.. content.Contexts.Select(c => (JsonNode)new JsonObject
                {
                    ["name"] = c.Key,
                    ["current"] = c.Key == content.Current,
                    ["endpoints"] = new JsonArray([.. c.Value.Endpoints.Values.Select(e => (JsonNode)JsonValue.Create(e.ToString()))]),
                    ["nodes"] = new JsonArray([.. c.Value.Nodes.Select(n => (JsonNode)JsonValue.Create(n))]),
                })]), invocation.Format);
                return Task.FromResult(ExitCode.Done);
            }
            var table = invocation.Table("CURRENT", "NAME", "ENDPOINTS", "NODES");
            foreach (var (name, context) in content.Contexts)
                table.Add(name == content.Current ? "*" : " ", name, string.Join(',', context.Endpoints.Values), string.Join(',', context.Nodes));
            table.Write(invocation.Output);
            return Task.FromResult(ExitCode.Done);
        },
    };

    static Verb Use() => new("use", "Work in another context from now on", "osctl config use demo")
    {
        OtherNames = ["context"],
        Arguments = { ContextName },
        Run = invocation =>
        {
            var name = invocation.Get(ContextName);
            Require(invocation, name);
            invocation.File.Save(new ClientConfiguration { Current = name, Contexts = invocation.File.Content.Contexts });
            invocation.Output.WriteLine($"the context is now `{name}`");
            return Task.FromResult(ExitCode.Done);
        },
    };

    static Verb Add() => new("add", "Add a context from files", "osctl config add prod --endpoint cp-1=10.0.0.1 --trustd 10.0.0.1 --ca ca.crt --crt me.crt --key me.key",
        "osctl config add far --endpoint cp-1=203.0.113.5,worker-1=10.0.0.7 --via cp-1 --ca ca.crt --crt me.crt --key me.key")
    {
        Arguments = { ContextName },
        Options = { NodeEndpoints, Trustd, CaFile, CrtFile, KeyFile },
        Run = invocation =>
        {
            var name = invocation.Get(ContextName);
            var endpoints = ParseEndpoints(invocation.Words(NodeEndpoints));
            var context = new ClientContext
            {
                Endpoints = endpoints,
                Trustd = ParseTrustd(invocation.Get(Trustd)),
                Nodes = [.. endpoints.Keys.Take(1)],
                Via = ViaOf(invocation),
                CaPem = ContextFile.ReadText(invocation.Get(CaFile)),
                CertificatePem = ContextFile.ReadText(invocation.Get(CrtFile)),
                PrivateKeyPem = ContextFile.ReadText(invocation.Get(KeyFile)),
            };
            // What would not work later is refused now.
            Nodes.ClientCredentials.From(context, name);
            Save(invocation.File, name, context);
            invocation.Output.WriteLine($"context `{name}` is in `{invocation.File.Path}`");
            return Task.FromResult(ExitCode.Done);
        },
    };

    // What `--via` says for one command is, in a command that makes a context, kept in it.
    static string? ViaOf(Invocation invocation) => invocation.Get(GlobalOptions.Via) is { Length: > 0 } via && via != Nodes.Target.Direct ? via : null;

    static Verb Remove() => new("remove", "Remove a context with its certificate and key", "osctl config remove demo")
    {
        OtherNames = ["rm"],
        Arguments = { ContextName },
        Run = invocation =>
        {
            var name = invocation.Get(ContextName);
            Require(invocation, name);
            invocation.File.Save(invocation.File.Without(name));
            invocation.Output.WriteLine($"context `{name}` is removed");
            return Task.FromResult(ExitCode.Done);
        },
    };

    static Verb Merge() => new("merge", "Take over the contexts of another file", "osctl config merge ./alice.talosconfig")
    {
        Arguments = { MergedFile },
        Run = invocation =>
        {
            var path = invocation.Get(MergedFile);
            if (!File.Exists(path)) throw new OsctlException($"there is no file `{path}`");
            var other = ContextFile.Load(path).Content;
            var contexts = new SortedDictionary<string, ClientContext>(invocation.File.Content.Contexts.ToDictionary(), StringComparer.Ordinal);
            foreach (var (name, context) in other.Contexts)
            {
                // A context of the same name may be another cluster; neither is lost.
                var free = Enumerable.Range(0, int.MaxValue).Select(i => i == 0 ? name : $"{name}-{i}").First(n => !contexts.ContainsKey(n));
                contexts[free] = context;
                invocation.Output.WriteLine(free == name ? $"context `{name}` is added" : $"context `{name}` is added as `{free}`");
            }
            var current = invocation.File.Content.Current is { Length: > 0 } kept ? kept : contexts.ContainsKey(other.Current) ? other.Current : "";
            invocation.File.Save(new ClientConfiguration { Current = current, Contexts = contexts });
            return Task.FromResult(ExitCode.Done);
        },
    };

    internal static void Save(ContextFile file, string name, ClientContext context)
    {
        var content = file.With(name, context, makeCurrent: true);
        // The reader's own rules decide what a name or an endpoint may be.
        if (!ClientConfiguration.Parse(content.ToYaml(), file.Path).TryGet(out _, out var errors)) throw new OsctlException(errors);
        file.Save(content);
    }

    static void Require(Invocation invocation, string name)
    {
        if (!invocation.File.Content.Contexts.ContainsKey(name)) throw new OsctlException($"there is no context `{name}`", "`osctl config contexts` lists them");
    }

    internal static SortedDictionary<string, Endpoint> ParseEndpoints(IReadOnlyList<string> words)
    {
        var endpoints = new SortedDictionary<string, Endpoint>(StringComparer.Ordinal);
        foreach (var word in words)
        {
            if (word.Split('=', 2) is not [{ Length: > 0 } node, var address] || !Endpoint.TryParse(address, 50000, out var endpoint))
                throw new OsctlException($"`{word}` is no endpoint", "an endpoint looks like `cp-1=10.0.0.1` or `cp-1=10.0.0.1:50000`");
            endpoints[node] = endpoint;
        }
        return endpoints;
    }

    internal static Endpoint? ParseTrustd(string text)
    {
        if (text.Length == 0) return null;
        return Endpoint.TryParse(text, 50001, out var endpoint) ? endpoint : throw new OsctlException($"`{text}` is no address", "an address looks like `10.0.0.1:50001`");
    }

    static Certificate? Leaf(ClientContext context) =>
        context.CertificatePem is null ? null : Certificate.ParseBundle(System.Text.Encoding.UTF8.GetBytes(context.CertificatePem)).Value?.Certificates.FirstOrDefault();

    static string Expiry(Certificate leaf, DateTimeOffset now)
    {
        var left = leaf.NotAfter - now;
        var relative = left > TimeSpan.Zero ? $"in {DurationText.Format(left)}" : $"{DurationText.Format(-left)} ago";
        return $"{relative} ({leaf.NotAfter.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture)})";
    }

    static void Line(Invocation invocation, string name, string value) => invocation.Output.WriteLine($"{name + ":",-21}{value}");
}
