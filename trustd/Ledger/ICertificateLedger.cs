namespace Talos.Trustd.Ledger;

/// <summary>
/// Every serial, certificate, token, request, refusal, revocation and authority. A write that returned is durable, and one that failed changed nothing;
/// each is one step for all who look. A read sees every write that returned before it began. One contract suite holds every store to
/// this. Safe for several threads.
/// </summary>
/// <exception cref="LedgerException">From every member: the store cannot be read or written.</exception>
interface ICertificateLedger : IAsyncDisposable
{
    /// <summary>Stores a serial before it is used. Fails when the serial exists: then nothing may be signed with it.</summary>
    /// <returns>Null when that authority signs no more; then the caller begins anew with the one that does.</returns>
    Task<ReservedSerial?> ReserveAsync(CertificateReservation reservation, CancellationToken cancellation);

    /// <summary>Stores the certificate under a serial that this ledger reserved; only then may it leave the process. Fails when it has one already.</summary>
    Task RecordIssuedAsync(ReservedSerial serial, ReadOnlyMemory<byte> der, CancellationToken cancellation);

    /// <summary>The newest certificates first, at most <paramref name="limit"/>, without their octets.</summary>
    IReadOnlyList<LedgerCertificate> ListCertificates(CertificateFilter filter, int limit);

    /// <summary>The certificate with this serial, or none.</summary>
    LedgerCertificate? FindCertificate(string serial);

    /// <summary>Whether a certificate of this identity is valid whose key is another than this one.</summary>
    bool IsHeldByAnotherKey(string spiffe, ReadOnlyMemory<byte> keyDigest);

    /// <summary>Takes back one certificate by serial, or every valid one of a name or an issuer. Returns what was newly taken back, in order.</summary>
    Task<IReadOnlyList<Revocation>> RevokeAsync(CertificateFilter filter, string by, string reason, CancellationToken cancellation);

    /// <summary>Every revocation whose certificate could still be accepted somewhere, in order.</summary>
    IReadOnlyList<Revocation> ListRevocations();

    /// <summary>What was taken back and not marked as recorded since, in order.</summary>
    IReadOnlyList<UnrecordedRevocation> ListUnrecordedRevocations();

    /// <summary>What was taken back from the first to the last of these is on the record. The sequence numbers of one revocation have none of another between them.</summary>
    Task MarkRevocationsRecordedAsync(long first, long last, CancellationToken cancellation);

    /// <summary>The next number of a revocation list of this authority and shard, from 1; no number is given twice.</summary>
    Task<long> NextListNumberAsync(string issuer, int shard, CancellationToken cancellation);

    /// <summary>Adds a token; one with the same id stays as it is, so that a restart gives nobody fresh uses. Forgets those that ended 90 days ago.</summary>
    /// <returns>False when the id was known.</returns>
    Task<bool> AddTokenAsync(LedgerToken token, CancellationToken cancellation);

    /// <summary>The token with this id, or none.</summary>
    LedgerToken? FindToken(string id);

    /// <summary>The newest tokens first, at most <paramref name="limit"/>.</summary>
    IReadOnlyList<LedgerToken> ListTokens(int limit);

    /// <summary>Makes the token useless. Returns false when no valid token has this id.</summary>
    Task<bool> RevokeTokenAsync(string id, CancellationToken cancellation);

    /// <summary>
    /// Takes one use of a token for one key, in one durable step: two callers can never share the last use. The secret has been checked before.
    /// </summary>
    Task<TokenUseResult> UseTokenAsync(string id, ReadOnlyMemory<byte> keyDigest, CancellationToken cancellation);

    /// <summary>Puts a machine into the queue, if there is room; what has expired makes room first.</summary>
    /// <param name="most">How many machines may wait at once.</param>
    /// <param name="mostOfSource">How many of them from one address.</param>
    Task<EnrollmentQueueResult> QueueEnrollmentAsync(LedgerEnrollment enrollment, int most, int mostOfSource, CancellationToken cancellation);

    /// <summary>The request with this digest, unless it has expired.</summary>
    LedgerEnrollment? FindEnrollment(ReadOnlyMemory<byte> digest);

    /// <summary>The requests that have not expired, newest first, at most <paramref name="limit"/>.</summary>
    IReadOnlyList<LedgerEnrollment> ListEnrollments(int limit);

    /// <summary>Decides one request that waits, once. Null when none with this id waits.</summary>
    /// <param name="expires">Until when the decision holds.</param>
    Task<LedgerEnrollment?> DecideEnrollmentAsync(string id, LedgerEnrollmentState state, string by, DateTimeOffset expires, CancellationToken cancellation);

    /// <summary>Takes the only use of an ID token. False when it was used before.</summary>
    /// <param name="digest">Of the token; the token itself is kept nowhere.</param>
    /// <param name="expires">From then on the token is refused anyway, and forgotten here.</param>
    Task<bool> UseLoginAsync(ReadOnlyMemory<byte> digest, DateTimeOffset expires, CancellationToken cancellation);

    /// <summary>Notes the certificate that an approved machine got.</summary>
    Task EndEnrollmentAsync(string id, string serial, CancellationToken cancellation);

    /// <summary>Keeps what was refused and why.</summary>
    Task RecordRefusalAsync(LedgerRefusal refusal, CancellationToken cancellation);

    /// <summary>The newest refusals first, at most <paramref name="limit"/>.</summary>
    IReadOnlyList<LedgerRefusal> ListRefusals(int limit);

    /// <summary>Stores the first authority; one that is there already stays as it is.</summary>
    Task AddFirstAuthorityAsync(LedgerAuthority authority, CancellationToken cancellation);

    /// <summary>Every authority, every holder of a valid certificate and every step so far.</summary>
    RolloverState ReadRollover();

    /// <summary>
    /// Reads the state, has <paramref name="decide"/> say what changes, and writes that, in one transaction: two callers never decide on the
    /// same state, and power lost at any moment leaves the state before or after. An exception of the decision changes nothing and is passed on.
    /// </summary>
    /// <returns>The state after; the same as before when the decision is null.</returns>
    Task<RolloverState> ChangeAuthoritiesAsync(Func<RolloverState, RolloverChange?> decide, CancellationToken cancellation);

    /// <summary>The audit log holds every step up to this one.</summary>
    Task MarkRolloverRecordedAsync(long sequence, CancellationToken cancellation);

    /// <summary>Stores what an identity says to trust, and with which certificate it said so. The newest word counts.</summary>
    Task AcknowledgeAsync(string spiffe, string serial, ReadOnlyMemory<byte> bundleDigest, CancellationToken cancellation);
}
