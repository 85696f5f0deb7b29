using System.Collections.Immutable;

namespace Talos.Trustd.Ledger;

/// <summary>A serial that is about to be used, stored before anything is signed with it.</summary>
/// <param name="Serial">Lower-case hexadecimal.</param>
/// <param name="Basis">Why it is issued: <c>token</c>, <c>renewal</c>, <c>delegation</c> or <c>self</c>.</param>
/// <param name="Requester">Who asked: a caller's name and serial, or a token's id.</param>
/// <param name="KeyDigest">SHA-256 of the public key's SubjectPublicKeyInfo.</param>
sealed record CertificateReservation(
    string Serial, byte Instance, string Name, ImmutableArray<string> Roles, string Spiffe, string Basis, string Requester,
    ReadOnlyMemory<byte> KeyDigest, DateTimeOffset NotBefore, DateTimeOffset NotAfter);

/// <summary>A certificate that was issued, or a serial that was reserved and never used (then <see cref="Der"/> is empty).</summary>
sealed record LedgerCertificate(
    string Serial, string Name, ImmutableArray<string> Roles, string Spiffe, string Basis, DateTimeOffset NotBefore, DateTimeOffset NotAfter,
    DateTimeOffset? Revoked, ReadOnlyMemory<byte> Der);

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

/// <summary>One certificate taken back.</summary>
sealed record Revocation(long Sequence, string Serial);
