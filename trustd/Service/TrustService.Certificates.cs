using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Talos.Api.Server;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Service;

sealed partial class TrustService
{
    // LIMIT: rows of one answer to a list, and the bytes that they take: below what gRPC clients accept without being told to (4 MiB). The newest come first.
    const int DefaultRows = 100, MaxRows = 5000, MaxAnswer = 3 << 20;

    public override Task<CertificateListResponse> CertificateList(CertificateListRequest request, ServerCallContext context)
    {
        Admit(ServedCall.Of(context));
        var answer = new CertificateListResponse();
        if (request.Serial.Length != 0)
        {
            var one = ledger.FindCertificate(request.Serial.ToLowerInvariant())
                ?? throw new RefusalException(RefusalReason.NotFound, $"there is no certificate `{request.Serial}`") { Hint = "`osctl cert list` shows them" };
            answer.Certificates.Add(Describe(one));
            return Task.FromResult(answer);
        }
        var most = Rows(request.Limit);
        var found = ledger.ListCertificates(new CertificateFilter(Name: request.Name, Issuer: request.Issuer), most + 1);
        answer.More = Fill(answer.Certificates, found.Select(Describe), most);
        return Task.FromResult(answer);
    }

    public override async Task<CertificateRevokeResponse> CertificateRevoke(CertificateRevokeRequest request, ServerCallContext context)
    {
        var filter = new CertificateFilter(request.Serial.ToLowerInvariant(), request.Name, request.Issuer.ToLowerInvariant());
        if (new[] { filter.Serial, filter.Name, filter.Issuer }.Count(f => f.Length > 0) != 1)
            throw Invalid("exactly one of serial, name and issuer is needed", "`osctl cert revoke SERIAL`, `--name NAME` or `--issuer KEYID`");
        var call = ServedCall.Of(context);
        // Whoever revokes a name or an issuer may be among them, and is told what was revoked.
        ServedCall.AnswerBeforeEnd(context);
        var by = call.Caller.Identity?.Name ?? "";
        var revoked = await ledger.RevokeAsync(filter, by, request.Reason, context.CancellationToken);
        if (revoked.Count == 0)
            throw new RefusalException(RefusalReason.NotFound, $"there is no valid certificate `{filter.Serial}{filter.Name}{filter.Issuer}`") { Hint = "`osctl cert list` shows them" };
        // Published before it is recorded: a record that cannot be written must not keep a stolen certificate alive.
        try
        {
            await revocations.PublishAsync(CancellationToken.None);
        }
        catch (Exception e) when (RevocationFeed.IsTemporary(e))
        {
            // The ledger has it and this server obeys it; the lists follow as soon as they can be numbered again.
            call.Note("lists_behind", e.Message);
        }
        await revocationRecord.RecordAsync(revoked, by, request.Reason, call);
        return new CertificateRevokeResponse { Serials = { revoked.Select(r => r.Serial) } };
    }

    public override Task<RefusalListResponse> RefusalList(RefusalListRequest request, ServerCallContext context)
    {
        Admit(ServedCall.Of(context));
        var answer = new RefusalListResponse();
        var most = Rows(request.Limit);
        answer.More = Fill(answer.Refusals, ledger.ListRefusals(most + 1).Select(Describe), most);
        return Task.FromResult(answer);
    }

    static int Rows(uint limit) => limit == 0 ? DefaultRows : (int)Math.Min(limit, MaxRows);

    // Puts in what was asked for and fits; tells whether rows are left, for which callers read one more than was asked for.
    static bool Fill<T>(RepeatedField<T> answer, IEnumerable<T> rows, int most) where T : IMessage
    {
        var room = MaxAnswer;
        foreach (var row in rows)
        {
            // A field's tag and length take at most six bytes.
            room -= row.CalculateSize() + 6;
            if (answer.Count == most || room < 0) return true;
            answer.Add(row);
        }
        return false;
    }

    static Refusal Describe(LedgerRefusal refusal) => new()
    {
        At = refusal.At.ToTimestamp(),
        Way = refusal.Way,
        Requester = refusal.Requester,
        Source = refusal.Source,
        Reason = refusal.Reason,
        Sentence = refusal.Sentence,
        Policy = refusal.Policy,
    };

    static IssuedCertificate Describe(LedgerCertificate certificate)
    {
        var answer = new IssuedCertificate
        {
            Serial = certificate.Serial,
            Name = certificate.Name,
            Roles = { certificate.Roles },
            Spiffe = certificate.Spiffe,
            NotBefore = certificate.NotBefore.ToTimestamp(),
            NotAfter = certificate.NotAfter.ToTimestamp(),
            Reason = certificate.Basis,
            Certificate = ByteString.CopyFrom(certificate.Der.Span),
            Requester = certificate.Requester,
            Issuer = certificate.Issuer,
            Policy = certificate.Policy,
            RevokedBy = certificate.RevokedBy,
            RevokedFor = certificate.RevokedFor,
        };
        if (certificate.AuthenticatedAt is { } authenticated) answer.AuthenticatedAt = authenticated.ToTimestamp();
        if (certificate.Revoked is { } revoked) answer.Revoked = revoked.ToTimestamp();
        return answer;
    }
}
