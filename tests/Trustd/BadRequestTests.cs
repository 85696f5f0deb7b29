using System.Formats.Asn1;
using System.Globalization;
using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Configuration;
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
        { "300,000 octets", Malformed, "pki.too-large", "300" },
        { "RSA 1024", Malformed, "pki.weak-key", "1024" },
        { "RSA 2047", Malformed, "pki.weak-key", "2047" },
        { "RSA 2048", Malformed, "pki.weak-key", "2048" },
        { "RSA 16384", Malformed, "pki.too-large", "16384" },
        { "RSA exponent 3", Malformed, "pki.weak-key", "exponent of 3" },
        { "RSA exponent 1", Malformed, "pki.weak-key", "exponent" },
        { "RSA even modulus", Malformed, "pki.weak-key", "even" },
        { "RSA small factor", Malformed, "pki.weak-key", "divisible by 3" },
        { "RSA close primes", Malformed, "pki.weak-key", "CVE-2022-26320" },
        { "P-224", Malformed, "pki.weak-key", "1.2.840.10045.2.1" },
        { "secp256k1", Malformed, "pki.weak-key", "1.2.840.10045.2.1" },
        { "P-256 off the curve", Malformed, "pki.unsupported-algorithm", "P-256" },
        { "P-256 at infinity", Malformed, "pki.malformed-der", "point" },
        { "P-256 compressed", Malformed, "pki.malformed-der", "uncompressed" },
        { "P-256 with explicit parameters", Malformed, "pki.weak-key", "1.2.840.10045.2.1" },
        { "Ed25519 of 31 octets", Malformed, "pki.malformed-der", "Ed25519" },
        { "DSA", Malformed, "pki.unsupported-algorithm", "signed with" },
        { "P-521", Malformed, "pki.", "P-521" },
        { "SHA-224", Malformed, "pki.unsupported-algorithm", "signed with" },
        { "another key's signature", Malformed, "pki.bad-signature", "not signed by the key" },
        { "changed after signing", Malformed, "pki.bad-signature", "not signed by the key" },
        { "another host name", Denied, "name-not-allowed", "`cp-1`" },
        { "another address", Denied, "name-not-allowed", "`192.168.1.1`" },
        { "no address of one machine", Denied, "name-not-allowed", "`0.0.0.0`" },
        { "wildcard", Denied, "name-not-allowed", "`*.example.org`" },
        { "another common name", Denied, "name-not-allowed", "`cp-1`" },
        { "two common names", Denied, "name-not-allowed", "`cp-1`" },
        { "a role", Denied, "role-not-allowed", "`os:admin`" },
        { "an e-mail address", Denied, "name-not-allowed", "`email:root@example.org`" },
        { "another's SPIFFE id", Denied, "name-not-allowed", "`URI:spiffe://demo/node/cp-1`" },
        { "all at once", Denied, "name-not-allowed", "the name `cp-1`, which the certificate" },
        { "all at once", Denied, "name-not-allowed", "`192.168.1.1`, `api.example.org`, `email:root@example.org`, which the certificate" },
        { "all at once", Denied, "name-not-allowed", "; the request asks for the role `os:admin`, which the certificate" },
        { "more than a sentence holds", Denied, "name-not-allowed", "and 84 more, which the certificate" },
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

    [Theory]
    [InlineData("Enroll", "token")]
    [InlineData("Renew", "renewal")]
    [InlineData("IssueClient", "delegation")]
    [InlineData("EnrollmentApply", "enrollment")]
    [InlineData("Login", "login")]
    public async Task Denies_a_request_that_is_larger_than_any_message(string method, string way)
    {
        var csr = ByteString.CopyFrom(new byte[8 << 20]);
        var auditor = await trustd.AdministratorAsync();
        var refusal = await Assert.ThrowsAsync<RpcException>(async () => _ = method switch
        {
            "Enroll" => (IMessage)await auditor.EnrollAsync(new EnrollRequest { Csr = csr, Token = trustd.NodeToken.Reveal() }),
            "Renew" => await auditor.RenewAsync(new RenewRequest { Csr = csr }),
            "IssueClient" => await auditor.IssueClientAsync(new IssueClientRequest { Csr = csr, Name = "bob" }),
            "EnrollmentApply" => await auditor.EnrollmentApplyAsync(new EnrollmentApplyRequest { Csr = csr }),
            _ => await auditor.LoginAsync(new LoginRequest { Csr = csr }),
        });

        Assert.Equal((Malformed, "request-too-large"), (refusal.StatusCode, refusal.Trailers.GetValue("talos-reason")));
        Assert.Contains("1048576", refusal.Status.Detail, StringComparison.Ordinal);
        var entry = (await auditor.RefusalListAsync(new RefusalListRequest { Limit = 1 })).Refusals.Single();
        Assert.Equal((way, "127.0.0.1", "request-too-large", refusal.Status.Detail), (entry.Way, entry.Source, entry.Reason, entry.Sentence));
        Assert.StartsWith("alice ", entry.Requester, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Denies_what_is_too_large_without_an_entry_for_each_once_one_address_asks_too_much()
    {
        await using var strict = await RunningTrustd.StartAsync(limits: new RateLimitSection { Address = new RateSection { PerMinute = 1, Burst = 2 } });
        var auditor = await strict.AdministratorAsync();
        var answers = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            var refusal = await Assert.ThrowsAsync<RpcException>(
                () => strict.Stranger().EnrollmentApplyAsync(new EnrollmentApplyRequest { Csr = ByteString.CopyFrom(new byte[2 << 20]) }).ResponseAsync);
            answers.Add($"{refusal.StatusCode} {refusal.Trailers.GetValue("talos-reason")}");
        }

        Assert.Equal("ResourceExhausted rate-limited", answers[^1]);
        Assert.Equal(
            answers.Count(a => a == "InvalidArgument request-too-large"),
            (await auditor.RefusalListAsync(new RefusalListRequest())).Refusals.Count(r => r.Reason == "request-too-large"));
    }

    [Theory]
    [InlineData("P-521")]
    [InlineData("another's SPIFFE id")]
    [InlineData("another host name")]
    [InlineData("an e-mail address")]
    public async Task Takes_no_use_of_a_token_for_what_is_refused(string request)
    {
        var once = TokenSecret.Generate();
        await using var one = await RunningTrustd.StartAsync(more: BootstrapToken.ForNode(once, ["worker-*"], [], TimeProvider.System.GetUtcNow().AddHours(1), uses: 1));

        await Assert.ThrowsAsync<RpcException>(() => one.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(Make(request)), Token = once.Reveal() }).ResponseAsync);

        using var sound = CertificateSigningRequest.Create("worker-1", ["worker-1"], []);
        Assert.NotEmpty((await one.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(sound.Der.Span), Token = once.Reveal() })).Certificate);
        using var second = CertificateSigningRequest.Create("worker-2", ["worker-2"], []);
        var used = await Assert.ThrowsAsync<RpcException>(() => one.Stranger().EnrollAsync(new EnrollRequest { Csr = ByteString.CopyFrom(second.Der.Span), Token = once.Reveal() }).ResponseAsync);
        Assert.Equal("token-exhausted", used.Trailers.GetValue("talos-reason"));
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
            "300,000 octets" => [0x30, 0x83, 0x04, 0x93, 0xDB, .. new byte[299_995]],
            "RSA 1024" or "RSA 16384" => WithKey(Rsa(Odd(int.Parse(request[4..], CultureInfo.InvariantCulture)), 65537)),
            "RSA 2047" => WithKey(Rsa(Odd(2047), 65537)),
            "RSA exponent 3" => WithKey(Rsa(Odd(3072), 3)),
            "RSA exponent 1" => WithKey(Rsa(Odd(3072), 1)),
            "RSA even modulus" => WithKey(Rsa(Odd(3072) - 1, 65537)),
            "RSA small factor" => WithKey(Rsa(Odd(3072) / 6 * 6 + 3, 65537)),
            "RSA close primes" => WithKey(Rsa(BigInteger.Pow(WithoutSmallFactors(Odd(1537)), 2), 65537)),
            "P-224" => WithCurve("secp224r1"),
            "secp256k1" => WithCurve("secp256k1"),
            "P-256 off the curve" => WithKey(Changed(key.ExportSubjectPublicKeyInfo(), ^1, (byte)(key.ExportSubjectPublicKeyInfo()[^1] ^ 1))),
            "P-256 at infinity" => WithKey([0x30, 0x19, .. key.ExportSubjectPublicKeyInfo()[2..23], 0x03, 0x02, 0x00, 0x00]),
            "P-256 compressed" or "P-256 with explicit parameters" or "DSA" => Vector(request),
            "Ed25519 of 31 octets" => WithKey([0x30, 0x29, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x20, 0x00, .. new byte[31]]),
            "P-521" => Ask(wide, "CN=worker-1").CreateSigningRequest(),
            // ecdsa-with-SHA256 ends in 2, ecdsa-with-SHA224 in 1 (RFC 5758 §3.2).
            "SHA-224" => Changed(sound, sound.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]) + 7, 1),
            "another key's signature" => Ask(key, "CN=worker-1").CreateSigningRequest(X509SignatureGenerator.CreateForECDsa(other)),
            "changed after signing" => Changed(sound, sound.AsSpan().IndexOf("worker-1"u8) + 7, (byte)'2'),
            "another host name" => Ask(key, "CN=worker-1", names => names.AddDnsName("cp-1")).CreateSigningRequest(),
            "another address" => Ask(key, "CN=worker-1", names => names.AddIpAddress(IPAddress.Parse("192.168.1.1"))).CreateSigningRequest(),
            "no address of one machine" => Ask(key, "CN=worker-1", names => names.AddIpAddress(IPAddress.Any)).CreateSigningRequest(),
            "wildcard" => Ask(key, "CN=worker-1", names => names.AddDnsName("*.example.org")).CreateSigningRequest(),
            "another common name" => Ask(key, "CN=cp-1").CreateSigningRequest(),
            "two common names" => Ask(key, "CN=cp-1, CN=worker-1").CreateSigningRequest(),
            "a role" => Ask(key, "CN=worker-1, O=os:admin").CreateSigningRequest(),
            "an e-mail address" => Ask(key, "CN=worker-1", names => names.AddEmailAddress("root@example.org")).CreateSigningRequest(),
            "another's SPIFFE id" => Ask(key, "CN=worker-1", names => names.AddUri(new Uri("spiffe://demo/node/cp-1"))).CreateSigningRequest(),
            "all at once" => Ask(key, "CN=cp-1, O=os:admin", names =>
            {
                names.AddEmailAddress("root@example.org");
                names.AddDnsName("api.example.org");
                names.AddIpAddress(IPAddress.Parse("192.168.1.1"));
            }).CreateSigningRequest(),
            "more than a sentence holds" => Ask(key, "CN=worker-1", names =>
            {
                for (var i = 0; i < 100; i++) names.AddDnsName($"n{i}.{new string('x', 60)}.{new string('y', 60)}");
            }).CreateSigningRequest(),
            _ => throw new ArgumentOutOfRangeException(nameof(request), request, null),
        };
    }

    /// <summary>A request that names this key and is signed by another: the key is judged before the signature.</summary>
    static byte[] WithKey(byte[] subjectPublicKeyInfo)
    {
        using var signer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var named = PublicKey.CreateFromSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
        return new CertificateRequest(new X500DistinguishedName("CN=worker-1"), named, HashAlgorithmName.SHA256).CreateSigningRequest(X509SignatureGenerator.CreateForECDsa(signer));
    }

    static byte[] WithCurve(string curve)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromFriendlyName(curve));
        return Ask(key, "CN=worker-1").CreateSigningRequest();
    }

    static byte[] Rsa(BigInteger modulus, int exponent)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier("1.2.840.113549.1.1.1");
                writer.WriteNull();
            }
            var pair = new AsnWriter(AsnEncodingRules.DER);
            using (pair.PushSequence())
            {
                pair.WriteInteger(modulus);
                pair.WriteInteger(exponent);
            }
            writer.WriteBitString(pair.Encode());
        }
        return writer.Encode();
    }

    static BigInteger Odd(int bits) =>
        new BigInteger(RandomNumberGenerator.GetBytes(bits / 8), isUnsigned: true) % (BigInteger.One << (bits - 1)) | (BigInteger.One << (bits - 1)) | 1;

    static BigInteger WithoutSmallFactors(BigInteger from)
    {
        while (Enumerable.Range(2, 750).Any(d => from % d == 0)) from += 2;
        return from;
    }

    static byte[] Vector(string request)
    {
        var name = request switch
        {
            "P-256 compressed" => "p256-compressed",
            "P-256 with explicit parameters" => "p256-explicit",
            _ => "dsa2048",
        };
        // OpenSSL made them for another machine; none gets so far that its name matters.
        return File.ReadAllBytes(Path.Combine(RunningTrustd.Root(), "tests/vectors/pki/requests", name + ".pem"));
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

    static byte[] Changed(byte[] der, Index at, byte value)
    {
        var changed = der.ToArray();
        changed[at] = value;
        return changed;
    }
}
