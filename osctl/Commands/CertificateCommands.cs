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

    static readonly Option<string> Issuer = new("--issuer") { Description = "Only what the authority with this key identifier signed", HelpName = "KEYID" };

    static readonly Option<string> RevokedIssuer = new("--issuer") { Description = "Every valid certificate that the authority with this key identifier signed", HelpName = "KEYID" };

    static readonly Argument<string> ShownSerial = new("SERIAL") { Description = "Serial number, as `osctl cert list` shows it" };

    static readonly Option<string> Reason = new("--reason") { Description = "Why; it goes on the record", HelpName = "TEXT" };

    static readonly Argument<string> FilePath = new("FILE") { Description = "PEM or DER; without it, your own certificate", Arity = ArgumentArity.ZeroOrOne };

    public static Verb Build() => new("cert", "List, show, revoke and read certificates")
    {
        OtherNames = ["certificate"],
        Subcommands = { List(), Show(), Revoke(), Refusals(), Inspect() },
    };

    static Verb List() => new("list", "List the certificates that trustd issued", "osctl cert list", "osctl cert list --name alice -o wide")
    {
        OtherNames = ["ls"],
        Options = { Name, Issuer, Limit },
        Run = async invocation =>
        {
            var request = new CertificateListRequest { Name = invocation.Get(Name), Issuer = Plain(invocation.Get(Issuer)), Limit = invocation.Get(Limit) };
            var answer = await invocation.AskTrustdAsync((trust, options) => trust.CertificateListAsync(request, options));
            if (invocation.IsTree) { TreeWriter.Write(invocation.Output, MessageTree.From(answer), invocation.Format); return ExitCode.Done; }
            var now = invocation.Terminal.Time.GetUtcNow();
            var table = invocation.Table("SERIAL", "NAME", "ROLES", "STATE", "NOT AFTER", "ISSUED FOR", "+NOT BEFORE", "+IDENTITY", "+REQUESTER", "+ISSUER");
            foreach (var c in answer.Certificates)
            {
                var state = c.Revoked is not null ? "revoked" : c.NotAfter.ToDateTimeOffset() < now ? "expired" : "valid";
                table.Add(c.Serial, c.Name, string.Join(' ', c.Roles), state, Text.Second(c.NotAfter), c.Reason, Text.Second(c.NotBefore), c.Spiffe, c.Requester, c.Issuer);
            }
            table.Write(invocation.Output);
            invocation.TellOfMore(answer.More);
            return ExitCode.Done;
        },
    };

    static Verb Show() => new("show", "Show one certificate: what it says, why it was issued, and whether it was taken back", "osctl cert show 01f3c2…", "osctl cert show 01f3c2… -o json")
    {
        Arguments = { ShownSerial },
        Run = async invocation =>
        {
            var request = new CertificateListRequest { Serial = Plain(invocation.Get(ShownSerial)) };
            var answer = await invocation.AskTrustdAsync((trust, options) => trust.CertificateListAsync(request, options));
            if (answer.Certificates is not [var shown]) throw new OsctlException("trustd did not answer with exactly one certificate", "is it of the same release?", ExitCode.NodeFailed);
            if (invocation.IsTree) { TreeWriter.Write(invocation.Output, MessageTree.From(shown), invocation.Format); return ExitCode.Done; }
            Line(invocation, "Issued for", $"{shown.Reason}, asked for by {shown.Requester}");
            Line(invocation, "Logged in", shown.AuthenticatedAt is { } at ? Text.Second(at) : "unknown");
            Line(invocation, "Decided by policy", shown.Policy.Length > 0 ? shown.Policy : "-");
            Line(invocation, "Revoked", shown.Revoked is { } revoked ? $"{Text.Second(revoked)} by {shown.RevokedBy}{(shown.RevokedFor.Length > 0 ? $": {shown.RevokedFor}" : "")}" : "no");
            Write(invocation, Require(Certificate.Parse(shown.Certificate.Span), shown.Serial));
            return ExitCode.Done;
        },
    };

    static Verb Revoke() => new("revoke", "Take certificates back: every node refuses them from then on",
        "osctl cert revoke 01f3c2…", "osctl cert revoke --name alice --reason \"left the company\"", "osctl cert revoke --issuer 8a0c… --reason \"its key was stolen\"")
    {
        Arguments = { Serial },
        Options = { RevokedName, RevokedIssuer, Reason },
        Run = async invocation =>
        {
            var request = new CertificateRevokeRequest
            {
                Serial = Plain(invocation.Get(Serial)),
                Name = invocation.Get(RevokedName),
                Issuer = Plain(invocation.Get(RevokedIssuer)),
                Reason = invocation.Get(Reason),
            };
            if (new[] { request.Serial, request.Name, request.Issuer }.Count(given => given.Length > 0) != 1)
                throw new OsctlException("say which: a serial number, `--name` or `--issuer`", "`osctl cert list -o wide` shows all three");
            var answer = await invocation.AskTrustdAsync((trust, options) => trust.CertificateRevokeAsync(request, options));
            if (invocation.IsTree) TreeWriter.Write(invocation.Output, MessageTree.From(answer), invocation.Format);
            else foreach (var revoked in answer.Serials) invocation.Output.WriteLine($"certificate {revoked} is revoked");
            return ExitCode.Done;
        },
    };

    static Verb Refusals() => new("refusals", "List the requests for certificates that were refused, and why", "osctl cert refusals", "osctl cert refusals --limit 10 -o wide")
    {
        Options = { Limit },
        Run = async invocation =>
        {
            var answer = await invocation.AskTrustdAsync((trust, options) => trust.RefusalListAsync(new RefusalListRequest { Limit = invocation.Get(Limit) }, options));
            if (invocation.IsTree) { TreeWriter.Write(invocation.Output, MessageTree.From(answer), invocation.Format); return ExitCode.Done; }
            var table = invocation.Table("TIME", "WAY", "SOURCE", "REASON", "SENTENCE", "+REQUESTER", "+POLICY");
            foreach (var r in answer.Refusals) table.Add(Text.Second(r.At), r.Way, r.Source, r.Reason, r.Sentence, r.Requester, r.Policy);
            table.Write(invocation.Output);
            invocation.TellOfMore(answer.More);
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
            foreach (var certificate in certificates) Write(invocation, certificate);
            return Task.FromResult(ExitCode.Done);
        },
    };

    // The forms in which tools print serials and key identifiers.
    static string Plain(string hexadecimal) => hexadecimal.Replace(":", "").ToLowerInvariant();

    static void Line(Invocation invocation, string name, string value) => invocation.Output.WriteLine($"{name + ":",-19}{value}");

    static void Write(Invocation invocation, Certificate certificate) =>
        invocation.Output.Write(CertificateInspection.Of(certificate).ToText(invocation.Terminal.Time.GetUtcNow()).TrimEnd('\n') + "\n");

    static T Require<T>(Checked<T> result, string path) where T : class =>
        result.Is(out var value, out var failure) ? value : throw new OsctlException($"`{path}`: {failure}", failure.Hint);
}
