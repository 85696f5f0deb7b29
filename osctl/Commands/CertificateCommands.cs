using System.CommandLine;
using Talos.Api.Trust.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;
using Talos.Pki;

namespace Talos.Osctl.Commands;

static class CertificateCommands
{
    static readonly Option<string> Name = new("--name") { Description = "Only certificates of this name", HelpName = "NAME" };

    static readonly Option<uint> Limit = new("--limit") { Description = "At most so many, newest first", HelpName = "N", DefaultValueFactory = _ => 100 };

    static readonly Argument<string> Serial = new("SERIAL") { Description = "Serial number, as `osctl cert list` shows it", Arity = ArgumentArity.ZeroOrOne };

    static readonly Option<string> RevokedName = new("--name") { Description = "Every valid certificate of this name", HelpName = "NAME" };

    static readonly Option<string> Reason = new("--reason") { Description = "Why; it goes on the record", HelpName = "TEXT" };

    static readonly Argument<string> FilePath = new("FILE") { Description = "PEM or DER; without it, your own certificate", Arity = ArgumentArity.ZeroOrOne };

    public static Verb Build() => new("cert", "List, revoke and read certificates")
    {
        OtherNames = ["certificate"],
        Subcommands = { List(), Revoke(), Inspect() },
    };

    static Verb List() => new("list", "List the certificates that trustd issued", "osctl cert list", "osctl cert list --name alice -o wide")
    {
        OtherNames = ["ls"],
        Options = { Name, Limit },
        Run = async invocation =>
        {
            var answer = await invocation.AskTrustdAsync((trust, options) => trust.CertificateListAsync(new CertificateListRequest { Name = invocation.Get(Name), Limit = invocation.Get(Limit) }, options));
            if (invocation.IsTree) { TreeWriter.Write(invocation.Output, MessageTree.From(answer), invocation.Format); return ExitCode.Done; }
            var now = invocation.Terminal.Time.GetUtcNow();
            var table = invocation.Table("SERIAL", "NAME", "ROLES", "STATE", "NOT AFTER", "ISSUED FOR", "+NOT BEFORE", "+IDENTITY");
            foreach (var c in answer.Certificates)
            {
                var state = c.Revoked is not null ? "revoked" : c.NotAfter.ToDateTimeOffset() < now ? "expired" : "valid";
                table.Add(c.Serial, c.Name, string.Join(' ', c.Roles), state, Text.Second(c.NotAfter), c.Reason, Text.Second(c.NotBefore), c.Spiffe);
            }
            table.Write(invocation.Output);
            return ExitCode.Done;
        },
    };

    static Verb Revoke() => new("revoke", "Take certificates back: every node refuses them from then on", "osctl cert revoke 01f3c2…", "osctl cert revoke --name alice --reason \"left the company\"")
    {
        Arguments = { Serial },
        Options = { RevokedName, Reason },
        Run = async invocation =>
        {
            var (serial, name) = (invocation.Get(Serial), invocation.Get(RevokedName));
            if (serial.Length == 0 == (name.Length == 0)) throw new OsctlException("say which: a serial number or `--name`", "`osctl cert list` shows both");
            var request = new CertificateRevokeRequest { Serial = serial.ToLowerInvariant().Replace(":", ""), Name = name, Reason = invocation.Get(Reason) };
            var answer = await invocation.AskTrustdAsync((trust, options) => trust.CertificateRevokeAsync(request, options));
            if (invocation.IsTree) TreeWriter.Write(invocation.Output, MessageTree.From(answer), invocation.Format);
            else foreach (var revoked in answer.Serials) invocation.Output.WriteLine($"certificate {revoked} is revoked");
            return ExitCode.Done;
        },
    };

    static Verb Inspect() => new("inspect", "Print a certificate for people", "osctl cert inspect", "osctl cert inspect node.crt")
    {
        Arguments = { FilePath },
        Run = invocation =>
        {
            var path = invocation.Get(FilePath);
            var bytes = path.Length > 0
                ? File.ReadAllBytes(path)
                : System.Text.Encoding.UTF8.GetBytes(invocation.Context().CertificatePem ?? throw new OsctlException($"context `{invocation.ContextName}` has no certificate"));
            var isText = bytes.AsSpan().IndexOf("-----BEGIN"u8) >= 0;
            IEnumerable<Certificate> certificates = isText ? Require(Certificate.ParseBundle(bytes), path).Certificates : [Require(Certificate.Parse(bytes), path)];
            foreach (var certificate in certificates) invocation.Output.Write(CertificateInspection.Of(certificate).ToText(invocation.Terminal.Time.GetUtcNow()).TrimEnd('\n') + "\n");
            return Task.FromResult(ExitCode.Done);
        },
    };

    static T Require<T>(Checked<T> result, string path) where T : class =>
        result.Is(out var value, out var failure) ? value : throw new OsctlException($"`{path}`: {failure}", failure.Hint);
}
