using System.Globalization;
using System.Security.Cryptography;
using Talos.Pki;

namespace Talos.Fuzz;

/// <summary>
/// Damages certificates, requests and revocation lists. A parser must answer, never throw; what it accepts it must accept
/// again from its own octets; and no damaged certificate may ever pass for a peer.
/// </summary>
static class PkiFuzz
{
    public static int Run(string[] args)
    {
        int cases = args is [var count, ..] ? int.Parse(count, CultureInfo.InvariantCulture) : 1_000_000;
        int seed = args is [_, var from, ..] ? int.Parse(from, CultureInfo.InvariantCulture) : 1;
        (int accepted, int refused) = Run(cases, seed);
        Console.WriteLine($"{cases} documents from seed {seed}: {accepted} read, {refused} refused, none believed, no exception");
        return 0;
    }

    public static (int Accepted, int Refused) Run(int cases, int seed)
    {
        var time = new StoppedClock(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        using var authority = CertificateAuthority.CreateRoot(ECDsa.Create(ECCurve.NamedCurves.nistP256), "fuzz.example", 1, time, lists: new CrlSharding("http://crl.example", 1)).Require();
        var grant = new IdentityGrant { Cluster = "fuzz.example", Name = "node-1", Roles = ["os:node"], DnsNames = ["node-1.fuzz.example"] };
        using var csr = CertificateSigningRequest.Create(grant.Name, grant.DnsNames);
        Certificate leaf = authority.Issue(authority.PrepareAsync(
            CertificateProfile.Node, grant, VerifiedRequest.Parse(csr.Der.Span).Require(), (_, _) => new(SerialVerdict.Recorded)).AsTask().Result.Require());
        CertificateRevocationList list = authority.IssueCrl(new CrlContent
        {
            Number = 1,
            Entries = [new CrlEntry(leaf.Serial, time.GetUtcNow(), CrlReason.Superseded)],
            Life = TimeSpan.FromDays(1),
        });
        byte[][] seeds = [leaf.Der.ToArray(), csr.Der.ToArray(), list.Der.ToArray()];
        TrustStore trust = TrustStore.Create(authority.Certificate);
        var options = new ValidationOptions { Time = time.GetUtcNow(), Purpose = ValidationPurpose.Client, Identity = IdentityDemand.NotRequired };
        if (PathValidator.Validate(leaf, [], trust, options).Path is null)
            throw new InvalidOperationException("the undamaged certificate is not valid, so the run would prove nothing");

        var random = new Random(seed);
        int accepted = 0, refused = 0;
        for (int i = 0; i < cases; i++)
        {
            int kind = i % seeds.Length;
            byte[] damaged = Damage(seeds[kind], random);
            ReadOnlyMemory<byte>? read = kind switch
            {
                0 => Certificate.Parse(damaged).Value?.Der,
                1 => CertificateRequestDocument.Parse(damaged).Value?.Der,
                _ => CertificateRevocationList.Parse(damaged).Value?.Der,
            };
            if (read is not { } der)
            {
                refused++;
                continue;
            }

            accepted++;
            if (!der.Span.SequenceEqual(damaged))
                throw new InvalidOperationException($"case {i} of seed {seed}: what was read is not what was given");
            bool same = damaged.AsSpan().SequenceEqual(seeds[kind]);
            bool believed = kind switch
            {
                0 => PathValidator.Validate(damaged, [], trust, options).Path is not null,
                1 => VerifiedRequest.Parse(damaged).Value is not null,
                _ => CertificateRevocationList.Parse(damaged).Require().VerifySignature(authority.Certificate.PublicKey) == SignatureVerdict.Valid,
            };
            if (believed && !same)
                throw new InvalidOperationException($"case {i} of seed {seed}: a damaged document was believed: {Convert.ToHexString(damaged)}");
        }

        return (accepted, refused);
    }

    static byte[] Damage(byte[] original, Random random)
    {
        var octets = new List<byte>(original);
        for (int times = random.Next(1, 5); times > 0 && octets.Count > 0; times--)
        {
            int at = random.Next(octets.Count);
            switch (random.Next(7))
            {
                case 0: octets[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: octets[at] = (byte)random.Next(256); break;
                case 2: octets.RemoveAt(at); break;
                case 3: octets.Insert(at, (byte)random.Next(256)); break;
                case 4: octets[at] = (byte)(octets[at] + (random.Next(2) == 0 ? 1 : -1)); break;
                case 5: octets.RemoveRange(at, random.Next(octets.Count - at)); break;
                case 6:
                    int from = random.Next(octets.Count), length = Math.Min(random.Next(1, 40), octets.Count - from);
                    octets.InsertRange(at, octets.GetRange(from, length));
                    break;
            }
        }

        return [.. octets];
    }

    sealed class StoppedClock(DateTimeOffset time) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => time;
    }
}
