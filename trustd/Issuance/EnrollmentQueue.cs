using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Talos.Api.Server;
using Talos.Pki;
using Talos.Policy;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Issuance;

/// <summary>Machines without a token that wait for a person. Bounded, in all and for each address, so that strangers cannot crowd others out.</summary>
sealed class EnrollmentQueue(ICertificateLedger ledger, TimeProvider time)
{
    // LIMIT: machines that wait at once; more than a person looks through.
    const int Most = 1000;

    // LIMIT: of these from one address: a rack behind one, and no more than a twentieth of the queue.
    const int MostOfSource = 50;

    /// <summary>How long a machine waits for a person, and how long a decision holds.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    readonly RateLimit newcomers = new("address", TimeSpan.FromSeconds(2), burst: MostOfSource, time);

    /// <summary>The request of this machine as it stands; a new one is put into the queue.</summary>
    /// <exception cref="RefusalException">The request names no machine, or there is no room.</exception>
    public async Task<LedgerEnrollment> ApplyAsync(string cluster, VerifiedRequest request, string source, CancellationToken cancellation)
    {
        var wish = Registrar.Complete(new CertificateWish { Name = "" }, request.Document, cluster);
        if (!SpiffeId.Create(cluster, PeerKind.Node, wish.Name).Is(out _, out var failure)) throw Refusals.From(failure);
        var digest = Digest(request, wish);
        if (ledger.FindEnrollment(digest) is { } known) return known;
        newcomers.Require(source);
        var now = time.GetUtcNow();
        var fresh = new LedgerEnrollment(
            RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyz23456789", 8), digest, request.PublicKey.Fingerprint, wish.Name, wish.DnsNames, wish.Addresses,
            source, now, now + Patience);
        switch (await ledger.QueueEnrollmentAsync(fresh, Most, MostOfSource, cancellation))
        {
            case EnrollmentQueueResult.Queued:
                // Two calls of one machine may have met; the first one's row counts.
                return ledger.FindEnrollment(digest) ?? fresh;
            case EnrollmentQueueResult.SourceFull:
                throw Full($"{MostOfSource} machines of the address `{source}` wait already");
            case EnrollmentQueueResult.Full:
            default:
                throw Full($"{Most} machines wait already");
        }
    }

    /// <summary>The requests that have not expired, newest first, at most <paramref name="limit"/>.</summary>
    public IReadOnlyList<LedgerEnrollment> List(int limit) => ledger.ListEnrollments(limit);

    /// <summary>Takes a person's decision, once.</summary>
    /// <param name="fingerprint">What the person saw on the console; empty when they compared it by themselves.</param>
    /// <exception cref="RefusalException">Nothing with this id waits, or it is another key.</exception>
    public async Task<LedgerEnrollment> DecideAsync(string id, string fingerprint, LedgerEnrollmentState state, string by, CancellationToken cancellation)
    {
        if (fingerprint.Length > 0 && ledger.ListEnrollments(int.MaxValue).FirstOrDefault(e => e.Id == id) is { } seen && seen.Fingerprint != fingerprint)
        {
            throw new RefusalException(RefusalReason.WrongState, $"the key of `{id}` has another fingerprint: `{seen.Fingerprint}`")
            {
                Id = "fingerprint-mismatch",
                Hint = "another machine asks under this name; deny it unless you know why",
            };
        }
        return await ledger.DecideEnrollmentAsync(id, state, by, time.GetUtcNow() + Patience, cancellation)
            ?? throw new RefusalException(RefusalReason.NotFound, $"no machine waits under `{id}`") { Hint = "`osctl enroll list` shows those that do" };
    }

    /// <summary>Notes the certificate that an approved machine got.</summary>
    public Task EndAsync(LedgerEnrollment enrollment, string serial) => ledger.EndEnrollmentAsync(enrollment.Id, serial, CancellationToken.None);

    // Each part behind its length, so that no two requests share a digest.
    static byte[] Digest(VerifiedRequest request, CertificateWish wish)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        foreach (var part in wish.DnsNames.Concat(wish.Addresses).Prepend(wish.Name).Select(Encoding.UTF8.GetBytes).Prepend(request.PublicKey.Der.ToArray()))
        {
            BinaryPrimitives.WriteInt32BigEndian(length, part.Length);
            hash.AppendData(length);
            hash.AppendData(part);
        }
        return hash.GetHashAndReset();
    }

    static RefusalException Full(string sentence) => new(RefusalReason.TooManyRequests, sentence)
    {
        Id = "queue-full",
        Hint = "an administrator decides about those that wait: `osctl enroll list`",
    };
}
