namespace Talos.Pki;

/// <summary>What storing a serial number came to.</summary>
public enum SerialVerdict
{
    /// <summary>It is not on the record; nothing may be signed.</summary>
    NotRecorded = 0,

    /// <summary>It is durably on the record and was not there before.</summary>
    Recorded,

    /// <summary>It was there before; another one will be drawn.</summary>
    Duplicate,
}

/// <summary>What is about to be signed, for the ledger.</summary>
public sealed record SerialRecord
{
    internal SerialRecord(string serial, CertificateProfile profile, IdentityGrant grant, ReadOnlyMemory<byte> toBeSigned)
    {
        Serial = serial;
        Profile = profile;
        Grant = grant;
        ToBeSigned = toBeSigned;
    }

    /// <summary>36 lower-case hexadecimal digits.</summary>
    public string Serial { get; }

    public CertificateProfile Profile { get; }

    public IdentityGrant Grant { get; }

    /// <summary>The exact octets that will be signed.</summary>
    public ReadOnlyMemory<byte> ToBeSigned { get; }

    public required DateTimeOffset NotBefore { get; init; }

    public required DateTimeOffset NotAfter { get; init; }
}

/// <summary>
/// Stores a serial number durably before anything is signed with it. Returns only when it is stored; throws when the
/// environment fails (a full disk), and then nothing is issued.
/// </summary>
public delegate ValueTask<SerialVerdict> SerialReservation(SerialRecord record, CancellationToken cancellation);
