using System.Security.Cryptography;
using Xunit;

namespace Talos.Pki.Tests;

public sealed class CrlTests : IDisposable
{
    readonly FixedClock _clock = new(TestFleet.Now.AddDays(-1));
    readonly CertificateAuthority _authority;
    readonly CrlSharding _lists = new("http://crl.alpha.example", 4);

    public CrlTests()
    {
        _authority = CertificateAuthority.CreateRoot(ECDsa.Create(ECCurve.NamedCurves.nistP256), TestFleet.Cluster, 3, _clock, lists: _lists).Require();
        _clock.Time = TestFleet.Now;
    }

    public void Dispose() => _authority.Dispose();

    async Task<Certificate> Issue()
    {
        Checked<PreparedCertificate> prepared = await _authority.PrepareAsync(
            CertificateProfile.User, TestFleet.UserGrant, TestFleet.Request(TestFleet.UserGrant), (_, _) => new(SerialVerdict.Recorded));
        return _authority.Issue(prepared.Require());
    }

    ValidationReason Validate(Certificate leaf, CrlDemand demand, params CertificateRevocationList[] lists) => PathValidator.Validate(
        leaf, [], TrustStore.Create(_authority.Certificate),
        new ValidationOptions { Time = _clock.Time, Purpose = ValidationPurpose.Client, Crls = CrlStore.Create(demand, lists) }).Reason;

    CertificateRevocationList List(int shard, int number, int? from, params CrlEntry[] entries) =>
        _authority.IssueCrl(new CrlContent { Number = number, DeltaBase = from, Shard = shard, Entries = entries, Life = TimeSpan.FromHours(1) });

    [Fact]
    public async Task Rejects_what_a_complete_list_or_delta_names()
    {
        Certificate anna = await Issue();
        int shard = _lists.ShardOf(anna.Serial);
        Assert.Equal($"http://crl.alpha.example/{shard}.crl", Assert.Single(Assert.Single(anna.CrlDistributionPoints!.Value).Name!.FullName).Text);
        var revoked = new CrlEntry(anna.Serial, _clock.Time, CrlReason.KeyCompromise);
        CertificateRevocationList empty = List(shard, 5, null);
        Assert.Equal(ValidationReason.Valid, Validate(anna, CrlDemand.Required, empty));
        Assert.Equal(ValidationReason.Revoked, Validate(anna, CrlDemand.Required, List(shard, 5, null, revoked)));
        Assert.Equal(ValidationReason.Revoked, Validate(anna, CrlDemand.Required, empty, List(shard, 6, 5, revoked)));
        Assert.Equal(ValidationReason.Valid, Validate(anna, CrlDemand.Required, List(shard, 5, null, revoked), List(shard, 6, 5, revoked with { Reason = CrlReason.RemoveFromCrl })));
        // A delta to a later list than the one at hand says nothing.
        Assert.Equal(ValidationReason.Valid, Validate(anna, CrlDemand.Required, empty, List(shard, 8, 7, revoked)));
    }

    [Fact]
    public async Task Rejects_when_the_list_is_of_another_shard_or_stale()
    {
        Certificate anna = await Issue();
        int shard = _lists.ShardOf(anna.Serial);
        Assert.Equal(ValidationReason.RevocationUnknown, Validate(anna, CrlDemand.Required, List((shard + 1) % 4, 1, null)));
        // Its issuer's lists are here, and none speaks of it.
        Assert.Equal(ValidationReason.RevocationUnknown, Validate(anna, CrlDemand.WhereProvided, List((shard + 1) % 4, 1, null)));
        Assert.Equal(ValidationReason.Valid, Validate(anna, CrlDemand.WhereProvided));
        CertificateRevocationList list = List(shard, 1, null);
        _clock.Time += TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1);
        Assert.Equal(ValidationReason.RevocationUnknown, Validate(anna, CrlDemand.Required, list));
        Assert.Equal(ValidationReason.RevocationUnknown, Validate(anna, CrlDemand.WhereProvided, list));
    }

    [Fact]
    public async Task Rejects_a_list_that_someone_else_signed_in_the_authoritys_name()
    {
        Certificate anna = await Issue();
        CertificateRevocationList list = List(_lists.ShardOf(anna.Serial), 1, null);
        Assert.Equal(ValidationReason.Valid, Validate(anna, CrlDemand.Required, list));
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var forged = new DerWriter();
        using (forged.Sequence())
        {
            forged.Raw(list.ToBeSigned.Span);
            forged.Raw(list.SignatureAlgorithm.Der.Span);
            using (forged.BitString())
                forged.Raw(other.SignData(list.ToBeSigned.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }

        CertificateRevocationList read = CertificateRevocationList.Parse(forged.Written).Require();
        Assert.Equal(_authority.Certificate.Subject, read.Issuer);
        Assert.Equal(ValidationReason.RevocationUnknown, Validate(anna, CrlDemand.Required, read));
        Assert.Equal(ValidationReason.RevocationUnknown, Validate(anna, CrlDemand.WhereProvided, read));
    }

    [Fact]
    public async Task Refuses_to_sign_lists_that_contradict_themselves()
    {
        Certificate anna = await Issue();
        int shard = _lists.ShardOf(anna.Serial);
        var entry = new CrlEntry(anna.Serial, _clock.Time, CrlReason.Superseded);
        Assert.Throws<ArgumentException>(() => List(shard, 1, null, entry, entry));
        Assert.Throws<ArgumentException>(() => List((shard + 1) % 4, 1, null, entry));
        Assert.Throws<ArgumentException>(() => List(shard, 1, 2, entry));
        Assert.Throws<ArgumentException>(() => List(shard, 1, null, entry with { Reason = CrlReason.RemoveFromCrl }));
    }

    [Fact]
    public void Reads_what_it_wrote()
    {
        CrlEntry[] entries = [.. Enumerable.Range(0, 1000).Select(i => new CrlEntry($"03{i:x34}"[..32] + "0001", _clock.Time.AddSeconds(-i), (CrlReason)(i % 6)) { })];
        entries = [.. entries.DistinctBy(e => e.Serial)];
        CertificateRevocationList list = List(1, 1 << 30, null, entries);
        Assert.Equal(entries.OrderBy(e => e.Serial, StringComparer.Ordinal), list.Entries.OrderBy(e => e.Serial, StringComparer.Ordinal));
        Assert.Equal(list.Der.ToArray(), CertificateRevocationList.Parse(System.Text.Encoding.ASCII.GetBytes(list.ToPem())).Require().Der.ToArray());
        Assert.Equal(1 << 30, list.Number);
        Assert.Null(list.DeltaBase);
    }
}
