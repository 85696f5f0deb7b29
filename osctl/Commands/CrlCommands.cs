using System.CommandLine;
using Talos.Api.Trust.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;
using Talos.Pki;

namespace Talos.Osctl.Commands;

static class CrlCommands
{
    static readonly Option<string> Issuer = new("--issuer") { Description = "Key identifier of the authority; otherwise the one that signs now", HelpName = "KEYID" };

    static readonly Option<uint> Shard = new("--shard") { Description = "Which part of the list, where the lists are split", HelpName = "N" };

    static readonly Option<bool> Delta = new("--delta") { Description = "Only what was revoked since the last complete list" };

    static readonly Option<string> To = new("--to") { Description = "File to write, DER; otherwise PEM goes to standard output", HelpName = "FILE" };

    public static Verb Build() => new("crl", "Revocation lists for verifiers outside the cluster")
    {
        Subcommands = { Get() },
    };

    static Verb Get() => new("get", "Get a revocation list, as OpenSSL and others read it", "osctl crl get > talos.crl", "osctl crl get --delta --to 0-delta.crl", "osctl crl get --shard 3 -o json")
    {
        Options = { Issuer, Shard, Delta, To },
        Run = async invocation =>
        {
            var request = new RevocationListRequest { Issuer = invocation.Get(Issuer).Replace(":", "").ToLowerInvariant(), Shard = invocation.Get(Shard), Delta = invocation.Get(Delta) };
            var answer = await invocation.AskTrustdAsync((trust, options) => trust.RevocationListAsync(request, options));
            if (!CertificateRevocationList.Parse(answer.List.Span).Is(out var list, out var failure)) throw new OsctlException($"the list that trustd sent: {failure}", failure.Hint, ExitCode.NodeFailed);
            if (invocation.Get(To) is { Length: > 0 } path)
            {
                File.WriteAllBytes(path, answer.List.ToByteArray());
                invocation.Output.WriteLine($"wrote `{path}`: {list.Count} revoked, good until {Text.Second(answer.NextUpdate)}");
            }
            else if (invocation.IsTree) TreeWriter.Write(invocation.Output, MessageTree.From(answer), invocation.Format);
            else invocation.Output.Write(list.ToPem());
            return ExitCode.Done;
        },
    };
}
