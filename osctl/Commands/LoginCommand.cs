using System.Buffers.Text;
using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Osctl.Contexts;
using Talos.Osctl.Login;
using Talos.Osctl.Nodes;
using Talos.Pki;

namespace Talos.Osctl.Commands;

static class LoginCommand
{
    static readonly Option<bool> Device = new("--device") { Description = "Log in on another device: no browser is needed here" };

    static readonly Option<string> Trustd = new("--trustd") { Description = "Where trustd answers; otherwise the context says", HelpName = "HOST[:PORT]" };

    static readonly Option<string> CaFile = new("--ca") { Description = "The cluster's CA, PEM; otherwise the context has it", HelpName = "FILE" };

    static readonly Option<string[]> NodeEndpoints = new("--endpoint") { Description = "Where a node answers, for a new context", HelpName = "NODE=HOST[:PORT],…" };

    static readonly Option<string[]> Roles = new("--roles") { Description = "Fewer roles than you could have", HelpName = "ROLE,…" };

    static readonly DurationOption Patience = new("--wait", "How long you may take to log in", "5m");

    public static Verb Build() => new("login", "Log in at the cluster's identity provider and get a certificate; the key is made here and stays here",
        "osctl login", "osctl login --device", "osctl login --roles os:reader", "osctl login --context prod --trustd 10.0.0.1 --ca prod.crt --endpoint cp-1=10.0.0.1")
    {
        Options = { Device, Trustd, CaFile, NodeEndpoints, Roles, Patience },
        Run = RunAsync,
    };

    static async Task<int> RunAsync(Invocation invocation)
    {
        var known = invocation.HasContext ? invocation.File.Content.Contexts.GetValueOrDefault(invocation.ContextName) : null;
        var trustd = ConfigCommands.ParseTrustd(invocation.Get(Trustd)) ?? known?.Trustd
            ?? throw new OsctlException("there is no trustd to log in at", "for the first time: `osctl login --trustd HOST --ca FILE --endpoint NODE=HOST`");
        var pem = invocation.Get(CaFile) is { Length: > 0 } file ? ContextFile.ReadText(file) : known?.CaPem
            ?? throw new OsctlException("there is no CA to believe trustd by", "give it with `--ca FILE`; whoever runs the cluster has it");
        if (!TrustStore.Parse(Encoding.UTF8.GetBytes(pem)).Is(out var trust, out var failure)) throw new OsctlException($"the CA: {failure}", failure.Hint);

        using var connection = PeerConnection.ToTrustd(trustd, ClientCredentials.Anonymous(trust), invocation.Terminal.Time);
        var settings = await invocation.RequireAsync(connection, (c, options) => c.Trust().LoginProviderAsync(new LoginProviderRequest(), options));
        using var provider = await ProviderClient.OpenAsync(settings, invocation.Cancellation);
        // The provider's token will name this very key: stolen on the way, it is worth nothing.
        using var request = CertificateSigningRequest.Create("");
        var nonce = Base64Url.EncodeToString(SHA256.HashData(request.Key.ExportSubjectPublicKeyInfo()));
        var token = invocation.Get(Device)
            ? await DeviceFlow.RunAsync(provider, nonce, invocation.Terminal, invocation.Cancellation)
            : await LoopbackFlow.RunAsync(provider, nonce, invocation.Terminal, invocation.Get(Patience), invocation.Cancellation);
        var person = await PersonalCertificate.WithIdTokenAsync(invocation, connection, request, token, invocation.Words(Roles));

        var endpoints = ConfigCommands.ParseEndpoints(invocation.Words(NodeEndpoints));
        var name = invocation.ContextName.Length > 0 ? invocation.ContextName : ConfigCommands.ClusterOf(person.Leaf);
        if (endpoints.Count == 0 && known is null) endpoints[trustd.Host] = trustd with { Port = 50000 };
        var context = endpoints.Count == 0
            ? known! with { Trustd = trustd }
            : new ClientContext { Endpoints = endpoints, Nodes = [.. endpoints.Keys.Take(1)], Trustd = trustd };
        ConfigCommands.Save(invocation.File, name, ConfigCommands.Carry(context, person));
        ConfigCommands.Report(invocation, invocation.File, name, person);
        return ExitCode.Done;
    }
}
