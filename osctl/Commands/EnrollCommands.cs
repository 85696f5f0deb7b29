using System.CommandLine;
using Grpc.Core;
using Talos.Api.Trust.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static class EnrollCommands
{
    static readonly Argument<string> Id = new("ID") { Description = "What `osctl enroll list` and the machine's console show" };

    static readonly Option<uint> Limit = new("--limit") { Description = "At most so many, newest first", HelpName = "N", DefaultValueFactory = _ => 100 };

    static readonly Option<string> Fingerprint = new("--fingerprint") { Description = "Only if the machine's key has this fingerprint", HelpName = "SHA256:…" };

    public static Verb Build() => new("enroll", "Let machines in that ask without a token")
    {
        Subcommands = { List(), Approve(), Deny() },
    };

    static Verb List() => new("list", "List the machines that wait, and those decided about in the last hour", "osctl enroll list", "osctl enroll list --limit 1000 -o json")
    {
        OtherNames = ["ls"],
        Options = { Limit },
        Run = async invocation =>
        {
            var answer = await invocation.AskTrustdAsync((trust, options) => trust.EnrollmentListAsync(new EnrollmentListRequest { Limit = invocation.Get(Limit) }, options));
            if (invocation.IsTree) { TreeWriter.Write(invocation.Output, MessageTree.From(answer), invocation.Format); return ExitCode.Done; }
            var table = invocation.Table("ID", "STATE", "NAME", "NAMES", "SOURCE", "FINGERPRINT", "EXPIRES", "+ASKED", "+DECIDED BY", "+SERIAL");
            foreach (var e in answer.Enrollments)
                table.Add(e.Id, Text.Word(e.State).ToLowerInvariant(), e.Name, string.Join(' ', e.Names), e.Source, e.Fingerprint, Text.Second(e.Expires), Text.Second(e.Requested), e.DecidedBy, e.Serial);
            table.Write(invocation.Output);
            invocation.TellOfMore(answer.More);
            return ExitCode.Done;
        },
    };

    static Verb Approve() => new("approve", "Let a machine in: compare its fingerprint with the one on its console first",
        "osctl enroll approve k7m2qd9x --fingerprint SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "osctl enroll approve k7m2qd9x")
    {
        Arguments = { Id },
        Options = { Fingerprint },
        Run = invocation => DecideAsync(invocation, (trust, request, options) => trust.EnrollmentApproveAsync(request, options), "is let in"),
    };

    static Verb Deny() => new("deny", "Turn a machine away", "osctl enroll deny k7m2qd9x")
    {
        Arguments = { Id },
        Options = { Fingerprint },
        Run = invocation => DecideAsync(invocation, (trust, request, options) => trust.EnrollmentDenyAsync(request, options), "is turned away"),
    };

    static async Task<int> DecideAsync(
        Invocation invocation, Func<TrustService.TrustServiceClient, EnrollmentDecisionRequest, CallOptions, AsyncUnaryCall<EnrollmentDecisionResponse>> decide, string done)
    {
        var request = new EnrollmentDecisionRequest { Id = invocation.Get(Id), Fingerprint = invocation.Get(Fingerprint) };
        var answer = await invocation.AskTrustdAsync((trust, options) => decide(trust, request, options));
        if (invocation.IsTree) TreeWriter.Write(invocation.Output, MessageTree.From(answer.Enrollment), invocation.Format);
        else invocation.Output.WriteLine($"{answer.Enrollment.Name} from {answer.Enrollment.Source} {done}: {answer.Enrollment.Fingerprint}");
        return ExitCode.Done;
    }
}
