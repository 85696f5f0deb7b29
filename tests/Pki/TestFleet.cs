using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;

namespace Talos.Pki.Tests;

/// <summary>A root, a fixed clock and a ledger in memory.</summary>
sealed class TestFleet : IDisposable
{
    public const string Cluster = "alpha.example";

    public static readonly DateTimeOffset Now = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    readonly ConcurrentDictionary<string, SerialRecord> _ledger = new();

    public TestFleet(DateTimeOffset? rootMadeAt = null)
    {
        Clock = new FixedClock(rootMadeAt ?? Now.AddDays(-1));
        Authority = CertificateAuthority.CreateRoot(ECDsa.Create(ECCurve.NamedCurves.nistP256), Cluster, 7, Clock).Require();
        Clock.Time = Now;
        Trust = TrustStore.Create(Authority.Certificate);
    }

    public FixedClock Clock { get; }

    public CertificateAuthority Authority { get; }

    public TrustStore Trust { get; }

    public IReadOnlyDictionary<string, SerialRecord> Ledger => _ledger;

    public static IdentityGrant NodeGrant { get; } = new()
    {
        Cluster = Cluster,
        Name = "node-1",
        Roles = ["os:node"],
        DnsNames = ["node-1.alpha.example"],
        Addresses = [IPAddress.Parse("10.0.0.7")],
    };

    public static IdentityGrant UserGrant { get; } = new() { Cluster = Cluster, Name = "anna", Roles = ["os:admin", "os:reader"] };

    public ValueTask<SerialVerdict> Reserve(SerialRecord record, CancellationToken cancellation) =>
        new(_ledger.TryAdd(record.Serial, record) ? SerialVerdict.Recorded : SerialVerdict.Duplicate);

    public Checked<PreparedCertificate> Prepare(CertificateProfile profile, IdentityGrant grant, VerifiedRequest request) =>
        Authority.PrepareAsync(profile, grant, request, Reserve).AsTask().GetAwaiter().GetResult();

    public Certificate Issue(CertificateProfile profile, IdentityGrant grant, VerifiedRequest? request = null) =>
        Authority.Issue(Prepare(profile, grant, request ?? Request(grant)).Require());

    public static VerifiedRequest Request(IdentityGrant grant)
    {
        using var request = CertificateSigningRequest.Create(grant.Name, grant.DnsNames, grant.Addresses);
        return VerifiedRequest.Parse(request.Der.Span).Require();
    }

    public ValidationResult Validate(Certificate leaf, ValidationPurpose purpose, params Certificate[] intermediates) =>
        PathValidator.Validate(leaf, intermediates, Trust, new ValidationOptions { Time = Clock.Time, Purpose = purpose });

    public void Dispose() => Authority.Dispose();
}

sealed class FixedClock(DateTimeOffset time) : TimeProvider
{
    public DateTimeOffset Time { get; set; } = time;

    public override DateTimeOffset GetUtcNow() => Time;
}
