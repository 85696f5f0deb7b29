using System.Collections.Immutable;

namespace Talos.Trustd.Ledger;

/// <summary>A serial that is about to be used, stored before anything is signed with it.</summary>
/// <param name="Serial">Lower-case hexadecimal.</param>
/// <param name="Basis">Why it is issued: the way, as policy calls it.</param>
/// <param name="Requester">Who asked: a caller's name and serial, or a token's id.</param>
/// <param name="KeyDigest">SHA-256 of the public key's SubjectPublicKeyInfo.</param>
/// <param name="Generation">The authority that is to sign; see <see cref="LedgerAuthority"/>.</param>
sealed record CertificateReservation(
    string Serial, byte Instance, string Name, ImmutableArray<string> Roles, string Spiffe, string Basis, string Requester,
    ReadOnlyMemory<byte> KeyDigest, DateTimeOffset NotBefore, DateTimeOffset NotAfter, long Generation)
{
    /// <summary>Key identifier of the authority that signs it, lower-case hexadecimal.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>Revision of the policy that decided.</summary>
    public string Policy { get; init; } = "";

    /// <summary>When its holder last proved who they are by something other than a certificate.</summary>
    public DateTimeOffset? AuthenticatedAt { get; init; }
}

/// <summary>A serial that is on a ledger, durably, for one certificate. Only that ledger makes one, and knows where it stands.</summary>
abstract class ReservedSerial;

/// <summary>A certificate that was issued, or a serial that was reserved and never used (then <see cref="Der"/> is empty).</summary>
sealed record LedgerCertificate(
    string Serial, string Name, ImmutableArray<string> Roles, string Spiffe, string Basis, DateTimeOffset NotBefore, DateTimeOffset NotAfter,
    DateTimeOffset? Revoked, ReadOnlyMemory<byte> Der)
{
    /// <summary>Who asked: a caller's name and serial, or a token's id.</summary>
    public string Requester { get; init; } = "";

    /// <summary>Key identifier of the authority that signed it; empty for one of an older release.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>Revision of the policy that decided; empty for one of an older release.</summary>
    public string Policy { get; init; } = "";

    /// <summary>When its holder last proved who they are by something other than a certificate.</summary>
    public DateTimeOffset? AuthenticatedAt { get; init; }

    /// <summary>Why it was taken back, and by whom; empty when it was not.</summary>
    public string RevokedBy { get; init; } = "";

    /// <summary>See <see cref="RevokedBy"/>.</summary>
    public string RevokedFor { get; init; } = "";
}

/// <summary>Which certificates are meant. Exactly one of the three is not empty; none means all, where that is allowed.</summary>
sealed record CertificateFilter(string Serial = "", string Name = "", string Issuer = "");

/// <summary>A request for a certificate that was refused.</summary>
/// <param name="Way">What it rested on, as policy calls it.</param>
/// <param name="Requester">Who asked, as far as that was known.</param>
/// <param name="Policy">Revision of the policy in force.</param>
sealed record LedgerRefusal(DateTimeOffset At, string Way, string Requester, string Source, string Reason, string Sentence, string Policy);

/// <summary>What a token is for. Zero is of no use to anyone.</summary>
enum LedgerTokenUse
{
    None = 0,
    Node = 1,
    Client = 2,
}

/// <summary>A token as the ledger keeps it: what verifies the secret, never the secret.</summary>
sealed record LedgerToken(
    string Id, ReadOnlyMemory<byte> Verifier, ReadOnlyMemory<byte> Discovery, LedgerTokenUse Use, string Name, ImmutableArray<string> Roles,
    ImmutableArray<string> Names, ImmutableArray<string> Addresses, DateTimeOffset Created, string CreatedBy, DateTimeOffset Expires,
    int UsesLeft, DateTimeOffset? Revoked)
{
    public override string ToString() => $"token {Id} for {Use}";
}

/// <summary>What came of asking a token for one use. Zero is a refusal.</summary>
enum TokenUseResult
{
    Refused = 0,
    Expired = 1,
    Revoked = 2,
    Exhausted = 3,
    /// <summary>One use was taken.</summary>
    Taken = 4,
    /// <summary>The same key has used this token before: a repetition after a lost answer, which costs no use.</summary>
    Repeated = 5,
}

/// <summary>How a machine's request for a certificate stands. Zero waits for a person.</summary>
enum LedgerEnrollmentState
{
    Pending = 0,
    Denied = 1,
    Approved = 2,
    Issued = 3,
}

/// <summary>A machine without a token that asks to be let in.</summary>
/// <param name="Digest">SHA-256 over key and names: what makes a repetition.</param>
/// <param name="Fingerprint">Of the key, as people compare it.</param>
/// <param name="Expires">From then on the row is as good as gone.</param>
/// <param name="DecidedBy">Empty while it waits.</param>
/// <param name="Serial">Of its certificate; empty before.</param>
sealed record LedgerEnrollment(
    string Id, ReadOnlyMemory<byte> Digest, string Fingerprint, string Name, ImmutableArray<string> DnsNames, ImmutableArray<string> Addresses,
    string Source, DateTimeOffset Requested, DateTimeOffset Expires)
{
    public LedgerEnrollmentState State { get; init; }

    public string DecidedBy { get; init; } = "";

    public string Serial { get; init; } = "";
}

/// <summary>What came of putting a machine into the queue. Zero is a refusal.</summary>
enum EnrollmentQueueResult
{
    Full = 0,
    /// <summary>As many machines of this address wait as may.</summary>
    SourceFull = 1,
    Queued = 2,
}

/// <summary>One certificate taken back.</summary>
/// <param name="Issuer">Key identifier of the authority that signed it; empty for one of an older release.</param>
sealed record Revocation(long Sequence, string Serial, DateTimeOffset At, string Issuer);

/// <summary>One certificate taken back, of which the record does not know yet.</summary>
/// <param name="By">Who took it back.</param>
sealed record UnrecordedRevocation(long Sequence, string Serial, string By, string Reason);
