using System.Collections.Concurrent;
using System.Security.Cryptography;
using Xunit;

namespace Talos.Pki.Tests;

/// <summary>An authority whose key is open several times.</summary>
public sealed class SigningKeyTests
{
    static readonly FixedClock s_clock = new(TestFleet.Now);

    [Fact]
    public void Signs_for_several_threads_at_once_by_one_key()
    {
        var handles = new ConcurrentBag<WatchedKey>();
        (Certificate root, ECParameters pair) = Root();
        using (CertificateAuthority authority = CertificateAuthority.Load(root, Open(), 7, s_clock, another: Open).Require())
        {
            var trust = TrustStore.Create(root);
            VerifiedRequest request = TestFleet.Request(TestFleet.UserGrant);
            Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
            {
                PreparedCertificate prepared = authority.PrepareAsync(
                    CertificateProfile.User, TestFleet.UserGrant, request, (_, _) => new(SerialVerdict.Recorded)).AsTask().GetAwaiter().GetResult().Require();
                ValidationResult result = PathValidator.Validate(
                    authority.Issue(prepared), [], trust, new ValidationOptions { Time = TestFleet.Now, Purpose = ValidationPurpose.Client });
                Assert.Equal(ValidationReason.Valid, result.Reason);
            });
            Assert.InRange(handles.Count, 2, 16);
            Assert.Equal(400, handles.Sum(h => h.Signatures));
            Assert.All(handles, h => Assert.False(h.WasShared));
        }

        Assert.All(handles, h => Assert.True(h.IsDisposed));

        WatchedKey Open()
        {
            var opened = new WatchedKey(pair);
            handles.Add(opened);
            return opened;
        }
    }

    [Fact]
    public void Refuses_a_key_that_was_replaced_meanwhile_and_leaves_the_first_to_its_owner()
    {
        (Certificate root, ECParameters pair) = Root();
        using var first = new WatchedKey(pair);
        var others = new List<WatchedKey>();
        Checked<CertificateAuthority> loaded = CertificateAuthority.Load(root, first, 7, s_clock, another: () =>
        {
            using ECDsa made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            others.Add(new WatchedKey(made.ExportParameters(includePrivateParameters: true)));
            return others[^1];
        });
        Assert.Equal(PkiReason.IssuerMismatch, loaded.Failure!.Reason);
        Assert.False(first.IsDisposed);
        Assert.All(others, o => Assert.True(o.IsDisposed));
    }

    [Fact]
    public void Gives_back_what_it_opened_when_the_key_cannot_be_opened_again()
    {
        (Certificate root, ECParameters pair) = Root();
        using var first = new WatchedKey(pair);
        var second = new WatchedKey(pair);
        int asked = 0;
        Assert.Throws<IOException>(() => CertificateAuthority.Load(
            root, first, 7, s_clock, another: () => asked++ == 0 ? second : throw new IOException("the file is gone")));
        Assert.False(first.IsDisposed);
        Assert.Equal(Environment.ProcessorCount > 1 || asked > 1, second.IsDisposed);
    }

    static (Certificate Root, ECParameters Pair) Root()
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECParameters pair = key.ExportParameters(includePrivateParameters: true);
        using CertificateAuthority authority = CertificateAuthority.CreateRoot(key, TestFleet.Cluster, 7, s_clock).Require();
        return (authority.Certificate, pair);
    }

    /// <summary>A key that notices when two threads use it at once.</summary>
    sealed class WatchedKey : ECDsa
    {
        readonly ECDsa _key;
        int _users;

        public WatchedKey(ECParameters pair) => _key = Create(pair);

        public int Signatures { get; private set; }

        public bool WasShared { get; private set; }

        public bool IsDisposed { get; private set; }

        public override int KeySize => _key.KeySize;

        public override byte[] SignHash(byte[] hash)
        {
            if (Interlocked.Increment(ref _users) != 1)
                WasShared = true;
            Signatures++;
            byte[] signature = _key.SignHash(hash);
            Thread.Yield();
            Interlocked.Decrement(ref _users);
            return signature;
        }

        public override bool VerifyHash(byte[] hash, byte[] signature) => _key.VerifyHash(hash, signature);

        public override ECParameters ExportParameters(bool includePrivateParameters) => _key.ExportParameters(includePrivateParameters);

        public override byte[] ExportSubjectPublicKeyInfo() => _key.ExportSubjectPublicKeyInfo();

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            _key.Dispose();
            base.Dispose(disposing);
        }
    }
}
