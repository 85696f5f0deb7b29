using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Trust.V1;
using Talos.Pki;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>What bad requests get, over mutual TLS: a status, a reason, a sentence, an entry in the ledger, and no certificate.</summary>
public sealed class BadRequestTests : IAsyncLifetime
{
    const StatusCode Malformed = StatusCode.InvalidArgument, Denied = StatusCode.PermissionDenied;

    RunningTrustd trustd = null!;

    public async ValueTask InitializeAsync() => trustd = await RunningTrustd.StartAsync();

    public ValueTask DisposeAsync() => trustd.DisposeAsync();

    public static TheoryData<string, StatusCode, string, string> Requests => new()
    {
        { "empty", Malformed, "pki.malformed-der", "octet" },
        { "not DER", Malformed, "pki.malformed-der", "octet" },
        { "cut short", Malformed, "pki.malformed-der", "octet" },
        { "trailing octet", Malformed, "pki.malformed-der", "octet" },
        { "version 1", Malformed, "pki.unsupported-version", "version" },
        { "20,000 octets", Malformed, "pki.too-large", "20" },
        { "101 names", Malformed, "pki.too-large", "100 names" },
        { "RSA 2048", Malformed, "pki.weak-key", "2048" },
        { "P-521", Malformed, "pki.", "P-521" },
        { "SHA-224", Malformed, "pki.unsupported-algorithm", "signed with" },
        { "another key's signature", Malformed, "pki.bad-signature", "not signed by the key" },
        { "changed after signing", Malformed, "pki.bad-signature", "not signed by the key" },
        { "another host name", Denied, "name-not-allowed", "`cp-1`" },
        { "another address", Denied, "name-not-allowed", "`192.168.1.1`" },
        { "wildcard", Denied, "name-not-allowed", "`*.example.org`" },
        { "another common name", Denied, "name-not-allowed", "`cp-1`" },
        { "two common names", Denied, "pki.excess-name", "`cp-1`" },
        { "a role", Denied, "role-not-allowed", "`os:admin`" },
        { "an e-mail address", Denied, "pki.excess-name", "root@example.org" },
        { "another's SPIFFE id", Denied, "pki.excess-name", "spiffe://demo/node/cp-1" },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Denies_and_signs_nothing(string request, StatusCode status, string reason, string part)
    {
        using var own = CertificateSigningRequest.Create("worker-1", ["worker-1"], [IPAddress.Parse("10.0.0.7")]);
        var node = trustd.As(await trustd.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(own.Der.Span), Token = trustd.NodeToken.Reveal() }), own);
        var auditor = await trustd.AdministratorAsync();
        var before = (await auditor.CertificateListAsync(new CertificateListRequest())).Certificates.Count;

        var refusal = await Assert.ThrowsAsync<RpcException>(() => node.RenewAsync(new RenewRequest { Csr = ByteString.CopyFrom(Make(request)) }).ResponseAsync);

        Assert.Equal(status, refusal.StatusCode);
        var id = refusal.Trailers.GetValue("talos-reason")!;
        Assert.StartsWith(reason, id, StringComparison.Ordinal);
        Assert.Contains(part, refusal.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(before, (await auditor.CertificateListAsync(new CertificateListRequest())).Certificates.Count);
        var entry = (await auditor.RefusalListAsync(new RefusalListRequest { Limit = 1 })).Refusals.Single();
        Assert.Equal(("renewal", "127.0.0.1", id, refusal.Status.Detail), (entry.Way, entry.Source, entry.Reason, entry.Sentence));
        Assert.StartsWith("worker-1 ", entry.Requester, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Denies_a_request_that_is_larger_than_any_message()
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => trustd.Stranger().EnrollAsync(
            new EnrollRequest { Csr = ByteString.CopyFrom(new byte[8 << 20]), Token = trustd.NodeToken.Reveal() }).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
    }

    static byte[] Make(string request)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var wide = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        using var rsa = RSA.Create(2048);
        var sound = Ask(key, "CN=worker-1", names => names.AddDnsName("worker-1")).CreateSigningRequest();
        return request switch
        {
            "empty" => [],
            "not DER" => "hello"u8.ToArray(),
            "cut short" => sound[..^7],
            "trailing octet" => [.. sound, 0],
            "version 1" => Changed(sound, sound.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x02, 0x01, 0x00]) + 2, 1),
            "20,000 octets" => new byte[20_000],
            "101 names" => Ask(key, "CN=worker-1", names => { for (var i = 0; i < 101; i++) names.AddDnsName($"worker-{i}"); }).CreateSigningRequest(),
            "RSA 2048" => new CertificateRequest("CN=worker-1", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest(),
            "P-521" => Ask(wide, "CN=worker-1").CreateSigningRequest(),
            // ecdsa-with-SHA256 ends in 2, ecdsa-with-SHA224 in 1 (RFC 5758 §3.2).
            "SHA-224" => Changed(sound, sound.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]) + 7, 1),
            "another key's signature" => Ask(key, "CN=worker-1").CreateSigningRequest(X509SignatureGenerator.CreateForECDsa(other)),
            "changed after signing" => Changed(sound, sound.AsSpan().IndexOf("worker-1"u8) + 7, (byte)'2'),
            "another host name" => Ask(key, "CN=worker-1", names => names.AddDnsName("cp-1")).CreateSigningRequest(),
            "another address" => Ask(key, "CN=worker-1", names => names.AddIpAddress(IPAddress.Parse("192.168.1.1"))).CreateSigningRequest(),
            "wildcard" => Ask(key, "CN=worker-1", names => names.AddDnsName("*.example.org")).CreateSigningRequest(),
            "another common name" => Ask(key, "CN=cp-1").CreateSigningRequest(),
            "two common names" => Ask(key, "CN=cp-1, CN=worker-1").CreateSigningRequest(),
            "a role" => Ask(key, "CN=worker-1, O=os:admin").CreateSigningRequest(),
            "an e-mail address" => Ask(key, "CN=worker-1", names => names.AddEmailAddress("root@example.org")).CreateSigningRequest(),
            "another's SPIFFE id" => Ask(key, "CN=worker-1", names => names.AddUri(new Uri("spiffe://demo/node/cp-1"))).CreateSigningRequest(),
            _ => throw new ArgumentOutOfRangeException(nameof(request), request, null),
        };
    }

    static CertificateRequest Ask(ECDsa key, string subject, Action<SubjectAlternativeNameBuilder>? add = null)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (add is null) return request;
        var names = new SubjectAlternativeNameBuilder();
        add(names);
        request.CertificateExtensions.Add(names.Build());
        return request;
    }

    static byte[] Changed(byte[] der, int at, byte value)
    {
        var changed = der.ToArray();
        changed[at] = value;
        return changed;
    }
}
