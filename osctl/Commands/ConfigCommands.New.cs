using System.CommandLine;
using Talos.Api.Configuration;
using Talos.Osctl.Contexts;

namespace Talos.Osctl.Commands;

static partial class ConfigCommands
{
    static readonly Option<string> PersonName = new("--name") { Description = "Who will speak: lower-case letters, digits and `.`, `_`, `-`", HelpName = "NAME", Required = true };

    static readonly Option<string[]> Roles = new("--roles") { Description = "os:admin, os:operator, os:reader, os:auditor, os:enroller", HelpName = "ROLE,…", Required = true, AllowMultipleArgumentsPerToken = true };

    static readonly DurationOption Ttl = new("--ttl", "How long the certificate is good; policy may say less", "8h");

    static readonly Option<string> Token = new("--token") { Description = "For someone without a certificate: a bootstrap token, or the file that holds it", HelpName = "FILE" };

    static readonly Option<string> ToFile = new("--to") { Description = "File for the new context; otherwise NAME.talosconfig, or with --token your own file", HelpName = "FILE" };

    static Verb New() => new("new", "Get a certificate and write a context with it; the key is made here and stays here",
        "osctl config new --name alice --roles os:reader --ttl 8h",
        "osctl config new --name alice --roles os:reader,os:auditor --to ./alice.talosconfig",
        "osctl config new --name admin --roles os:admin --token admin.token --trustd 10.0.0.1 --endpoint cp-1=10.0.0.1")
    {
        Options = { PersonName, Roles, Ttl, Token, Trustd, NodeEndpoints, ToFile },
        Run = invocation => invocation.Get(Token).Length > 0 ? FirstAsync(invocation) : ForOtherAsync(invocation),
    };

    static Verb Renew() => new("renew", "Replace your certificate, with a new key, while the old one is still good", "osctl config renew")
    {
        Run = async invocation =>
        {
            var context = invocation.Context();
            var renewed = await PersonalCertificate.RenewAsync(invocation);
            Save(invocation.File, invocation.ContextName, Carry(context, renewed));
            invocation.Output.WriteLine($"certificate expires {Expiry(renewed.Leaf, invocation.Terminal.Time.GetUtcNow())}");
            return ExitCode.Done;
        },
    };

    static async Task<int> FirstAsync(Invocation invocation)
    {
        var trustd = ParseTrustd(invocation.Get(Trustd)) ?? throw new OsctlException("a token needs `--trustd`", "the address of the control plane, as in `--trustd 10.0.0.1`");
        var secret = ReadToken(invocation.Get(Token));
        var person = await PersonalCertificate.WithTokenAsync(invocation, trustd, secret, invocation.Get(PersonName), invocation.Words(Roles), invocation.Get(Ttl));
        var endpoints = ParseEndpoints(invocation.Words(NodeEndpoints));
        // Without an endpoint the control plane itself is the node to ask.
        if (endpoints.Count == 0) endpoints[trustd.Host] = trustd with { Port = 50000 };
        var name = invocation.Get(GlobalOptions.Context) is { Length: > 0 } given ? given : ClusterOf(person.Leaf);
        var file = invocation.Get(ToFile) is { Length: > 0 } path ? ContextFile.Load(path) : invocation.File;
        Save(file, name, Carry(new ClientContext { Endpoints = endpoints, Trustd = trustd, Nodes = [.. endpoints.Keys.Take(1)], Via = ViaOf(invocation) }, person));
        Report(invocation, file, name, person);
        return ExitCode.Done;
    }

    static async Task<int> ForOtherAsync(Invocation invocation)
    {
        var context = invocation.Context();
        var person = await PersonalCertificate.AsCallerAsync(invocation, invocation.Get(PersonName), invocation.Words(Roles), invocation.Get(Ttl));
        var path = invocation.Get(ToFile) is { Length: > 0 } given ? given : $"{invocation.Get(PersonName)}.talosconfig";
        var file = ContextFile.Load(path);
        Save(file, invocation.ContextName, Carry(context, person));
        Report(invocation, file, invocation.ContextName, person);
        return ExitCode.Done;
    }

    internal static void Report(Invocation invocation, ContextFile file, string name, PersonalCertificate person) => invocation.Output.WriteLine(
        $"context `{name}` is in `{file.Path}`: {person.Leaf.Subject.CommonNames.FirstOrDefault()} with {string.Join(", ", person.Leaf.Subject.Organizations)}, expires {Expiry(person.Leaf, invocation.Terminal.Time.GetUtcNow())}");

    internal static string ClusterOf(Talos.Pki.Certificate leaf) =>
        leaf.AlternativeNames.Select(n => n.Text).FirstOrDefault(n => n.StartsWith("spiffe://", StringComparison.Ordinal))?.Split('/')[2] ?? "default";

    internal static ClientContext Carry(ClientContext context, PersonalCertificate person) => context with
    {
        CaPem = person.CaPem,
        CertificatePem = person.CertificatePem,
        PrivateKeyPem = person.PrivateKeyPem,
    };

    static TokenSecret ReadToken(string fileOrToken)
    {
        var isFile = File.Exists(fileOrToken);
        var text = isFile ? ContextFile.ReadText(fileOrToken) : fileOrToken;
        if (TokenSecret.TryParse(text, out var token)) return token;
        throw new OsctlException(isFile ? $"`{fileOrToken}` holds no token" : "that is neither a token nor a file with one", "a token is 8 and 32 lower-case letters and digits with a dot between");
    }
}
