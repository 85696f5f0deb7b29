using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Talos.Linux.OpenSsl;
using Talos.Pki;

namespace Talos.Benchmarks;

/// <summary>CPU time of one thread for the paths of Talos.Pki that a busy certificate authority and a busy server walk.</summary>
static class PkiBenchmarks
{
    public static int Run(string[] args)
    {
        int operations = args is [var count, ..] ? int.Parse(count, CultureInfo.InvariantCulture) : 5000;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var authority = CertificateAuthority.CreateRoot(ECDsa.Create(ECCurve.NamedCurves.nistP256), "bench.example", 1, TimeProvider.System).Require();
        var grant = new IdentityGrant { Cluster = "bench.example", Name = "node-1", Roles = ["os:node"], DnsNames = ["node-1.bench.example"] };
        using var csr = CertificateSigningRequest.Create(grant.Name, grant.DnsNames);
        byte[] request = csr.Der.ToArray();
        Certificate leaf = Issue(authority, grant, request);
        byte[] leafDer = leaf.Der.ToArray();
        TrustStore trust = TrustStore.Create(authority.Certificate);
        var options = new ValidationOptions { Time = TimeProvider.System.GetUtcNow(), Purpose = ValidationPurpose.Client };
        byte[] data = RandomNumberGenerator.GetBytes(400);
        byte[] signature = key.SignData(data, HashAlgorithmName.SHA256);
        byte[] spki = csr.Key.ExportSubjectPublicKeyInfo();

        Measure("platform: sign", operations, () => key.SignData(data, HashAlgorithmName.SHA256));
        Measure("platform: verify with a key at hand", operations, () => key.VerifyData(data, signature, HashAlgorithmName.SHA256));
        // With the first verification, for which OpenSSL makes of some keys a second form.
        byte[] ownSignature = csr.Key.SignData(data, HashAlgorithmName.SHA256);
        Measure("take in a public key and verify: platform", operations, () =>
        {
            using var imported = ECDsa.Create();
            imported.ImportSubjectPublicKeyInfo(spki, out _);
            imported.VerifyData(data, ownSignature, HashAlgorithmName.SHA256);
        });
        Measure("take in a public key and verify: certificate", operations, () =>
        {
            using X509Certificate2 holder = X509CertificateLoader.LoadCertificate(leafDer);
            using ECDsa imported = holder.GetECDsaPublicKey()!;
            imported.VerifyData(data, ownSignature, HashAlgorithmName.SHA256);
        });
        using (X509Certificate2 holder = X509CertificateLoader.LoadCertificate(leafDer))
        using (ECDsa first = holder.GetECDsaPublicKey()!)
        {
            if (CurveTemplate.TryCreate(first) is { } curve)
            {
                Measure("take in a public key and verify: its point", operations, () =>
                {
                    using ECDsa imported = curve.Import(spki.AsSpan(^65..));
                    imported.VerifyData(data, ownSignature, HashAlgorithmName.SHA256);
                });
            }
        }

        VerifiedRequest verified = VerifiedRequest.Parse(request).Require();
        Measure("verified request to certificate (two signs)", operations, () => Issue(authority, grant, verified));
        Measure("read and verify a CSR", operations, () => VerifiedRequest.Parse(request).Require());
        Measure("CSR to linted certificate, P-256", operations, () => Issue(authority, grant, request));
        Measure("validate a peer against the root", operations, () =>
        {
            if (PathValidator.Validate(leafDer, [], trust, options).Path is null)
                throw new InvalidOperationException("the benchmark's certificate is not valid");
        });
        Measure("read a certificate", operations, () => Certificate.Parse(leafDer).Require());
        return 0;
    }

    static Certificate Issue(CertificateAuthority authority, IdentityGrant grant, byte[] request) =>
        Issue(authority, grant, VerifiedRequest.Parse(request).Require());

    static Certificate Issue(CertificateAuthority authority, IdentityGrant grant, VerifiedRequest verified)
    {
        ValueTask<Checked<PreparedCertificate>> prepared = authority.PrepareAsync(
            CertificateProfile.Node, grant, verified, static (_, _) => new(SerialVerdict.Recorded));
        return authority.Issue(prepared.AsTask().Result.Require());
    }

    static void Measure(string name, int operations, Action action)
    {
        for (int i = 0; i < operations / 5; i++)
            action();
        // The best of five rounds: what the work costs when nothing else disturbs it.
        double best = double.MaxValue;
        long allocated = 0;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan start = Process.GetCurrentProcess().TotalProcessorTime;
            for (int i = 0; i < operations / 5; i++)
                action();
            TimeSpan spent = Process.GetCurrentProcess().TotalProcessorTime - start;
            best = Math.Min(best, spent.TotalMicroseconds / (operations / 5));
            allocated = (GC.GetAllocatedBytesForCurrentThread() - before) / (operations / 5);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-46} {best,8:F1} µs CPU {allocated,8} B"));
    }
}
