using System.Security.Cryptography;
using Xunit;
using Why = Talos.Pki.ValidationReason;

namespace Talos.Pki.Tests;

/// <summary>
/// RFC 5280 §5 and §6.3, one case a clause: a sound leaf under a root, and lists that are sound but for the clause. OpenSSL judges each too, where it
/// looks at the clause at all.
/// </summary>
public sealed class ListClauseTests : IDisposable
{
    const string Unknown = "1.3.6.1.4.1.99999.9", Point = "http://example.com/part.crl";

    static readonly ECDsa s_otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    static readonly byte[] s_leafSerial = TestCertificate.User().Serial;

    readonly string _folder = Directory.CreateTempSubdirectory("talos-pki-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    sealed record Entry(byte[] Serial)
    {
        public Action<DerWriter>? Extensions { get; init; }
    }

    /// <summary>A list whose every field can be set, sound or not.</summary>
    sealed record List
    {
        public int? Number { get; init; } = 5;

        public byte[]? NumberOctets { get; init; }

        public bool IsNumberCritical { get; init; }

        public int? DeltaBase { get; init; }

        public int? Version { get; init; } = 2;

        public DateTimeOffset ThisUpdate { get; init; } = TestFleet.Now.AddHours(-1);

        public DateTimeOffset? NextUpdate { get; init; } = TestFleet.Now.AddHours(1);

        /// <summary>Whether every time takes the form of the years from 2050 on.</summary>
        public bool HasLongTimes { get; init; }

        public Entry[] Entries { get; init; } = [];

        public bool HasEmptyEntries { get; init; }

        public bool HasKeyIdentifier { get; init; } = true;

        public Action<DerWriter>? Scope { get; init; }

        public Action<DerWriter>? More { get; init; }

        public ECDsa Signer { get; init; } = TestCertificate.Key;

        public string Issuer { get; init; } = "Test CA";

        public string? OuterAlgorithm { get; init; }

        public byte[] Trailing { get; init; } = [];
    }

    sealed record Case(Why Reason, params List[] Lists)
    {
        public Action<TestCertificate> Leaf { get; init; } = _ => { };

        public Action<TestCertificate> Root { get; init; } = _ => { };

        /// <summary>Not readable as a list at all: which one, from 1.</summary>
        public int Malformed { get; init; }

        /// <summary>What `openssl verify` is told besides; null where it does not look at the clause.</summary>
        public string[]? Oracle { get; init; } = [];
    }

    static readonly Entry s_leaf = new(s_leafSerial);

    static Entry Leaf(Action<DerWriter> extensions) => new(s_leafSerial) { Extensions = extensions };

    static readonly string[] s_deltas = ["-use_deltas", "-extended_crl"];

    static Case Malformed(List list) => new(Why.RevocationUnknown, list) { Malformed = 1 };

    static readonly Dictionary<string, Case> s_cases = new()
    {
        ["an empty list"] = new(Why.Valid, new List()),
        ["the certificate is listed"] = new(Why.Revoked, new List { Entries = [s_leaf] }),
        ["another one is listed"] = new(Why.Valid, new List { Entries = [new([5, 17])] }),
        ["a serial that only begins like it"] = new(Why.Valid, new List { Entries = [new(s_leafSerial[..^1])] }),
        ["5.1.2.4 from the future"] = new(Why.RevocationUnknown, new List { ThisUpdate = TestFleet.Now.AddSeconds(1), NextUpdate = TestFleet.Now.AddHours(2) }),
        ["5.1.2.5 to be replaced by now"] = new(Why.RevocationUnknown, new List { NextUpdate = TestFleet.Now.AddSeconds(-1) }),
        ["5.1.2.4 times before 2050 in the later form"] = new(Why.RevocationUnknown, new List { HasLongTimes = true }) { Oracle = null },
        ["5.1.2.5 to be replaced never"] = new(Why.Valid, new List { NextUpdate = new DateTimeOffset(9999, 12, 31, 23, 59, 59, TimeSpan.Zero) }),
        // OpenSSL lets a list without it pass for ever.
        ["5.1.2.5 without next update"] = new(Why.RevocationUnknown, new List { NextUpdate = null }) { Oracle = null },
        ["5.1.2.1 of version 1"] = new(Why.RevocationUnknown, new List { Version = null, Number = null, HasKeyIdentifier = false }) { Oracle = null },
        ["5.1.2.1 extensions in version 1"] = Malformed(new List { Version = null }) with { Oracle = null },
        ["5.1.2.1 of version 3"] = Malformed(new List { Version = 3 }) with { Oracle = null },
        ["5.1.2.6 an empty list instead of none"] = Malformed(new List { HasEmptyEntries = true }) with { Oracle = null },
        ["5.1.1.2 algorithms inside and outside differ"] = Malformed(new List { OuterAlgorithm = ObjectIdentifiers.Sha384WithEcdsa }) with { Oracle = null },
        ["an octet behind it"] = Malformed(new List { Trailing = [0] }) with { Oracle = null },
        ["5.2.1 no authority key identifier"] = new(Why.RevocationUnknown, new List { HasKeyIdentifier = false }) { Oracle = null },
        ["5.2.3 no number"] = new(Why.RevocationUnknown, new List { Number = null }) { Oracle = null },
        ["5.2.3 critical number"] = new(Why.RevocationUnknown, new List { IsNumberCritical = true }) { Oracle = null },
        ["5.2.3 negative number"] = Malformed(new List { NumberOctets = [0x80] }) with { Oracle = null },
        ["5.2.3 number of 20 octets"] = new(Why.Valid, new List { NumberOctets = [0x7F, .. new byte[19]] }),
        ["5.2.3 number of 22 octets"] = Malformed(new List { NumberOctets = [0x7F, .. new byte[21]] }) with { Oracle = null },
        ["5.2 unknown critical extension"] = new(Why.RevocationUnknown, new List { More = w => CertificateWriter.Extension(w, Unknown, true, w => w.Null()) }),
        ["5.2 unknown extension that is not critical"] = new(Why.Valid, new List { More = w => CertificateWriter.Extension(w, Unknown, false, w => w.Null()) }),
        ["5.2 an extension twice"] = Malformed(new List
        {
            More = w =>
            {
                CertificateWriter.Extension(w, Unknown, false, w => w.Null());
                CertificateWriter.Extension(w, Unknown, false, w => w.Null());
            },
        }) with
        { Oracle = null },
        ["5.3 unknown critical extension of an entry"] = new(Why.RevocationUnknown, new List
        {
            Entries = [new([5]) { Extensions = w => CertificateWriter.Extension(w, Unknown, true, w => w.Null()) }],
        }),
        ["5.3 unknown extension of the entry that is not critical"] =
            new(Why.Revoked, new List { Entries = [Leaf(w => CertificateWriter.Extension(w, Unknown, false, w => w.Null()))] }),
        ["5.3.1 a reason"] = new(Why.Revoked, new List { Entries = [Leaf(w => Reason(w, 4))] }),
        ["5.3.1 on hold"] = new(Why.Revoked, new List { Entries = [Leaf(w => Reason(w, 6))] }),
        ["5.3.1 a reason that is none"] = Malformed(new List { Entries = [Leaf(w => Reason(w, 7))] }) with { Oracle = null },
        ["6.3.3(f) signed by another key"] = new(Why.RevocationUnknown, new List { Signer = s_otherKey }),
        ["6.3.3(f) the authority may not sign lists"] = new(Why.RevocationUnknown, new List())
        {
            Root = c => c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)KeyUsages.KeyCertSign)),
        },
        ["6.3.3(b) of another issuer"] = new(Why.RevocationUnknown, new List { Issuer = "Other CA" }),
        ["two complete lists, the newer one names it"] = new(Why.Revoked,
            new List { Number = 4, ThisUpdate = TestFleet.Now.AddHours(-2) }, new List { Number = 5, Entries = [s_leaf] }),
        ["two complete lists, the newer one comes first"] = new(Why.Revoked,
            new List { Number = 5, Entries = [s_leaf] }, new List { Number = 4, ThisUpdate = TestFleet.Now.AddHours(-2) }),
        ["two complete lists, only the older one names it"] = new(Why.Valid,
            new List { Number = 4, ThisUpdate = TestFleet.Now.AddHours(-2), Entries = [s_leaf] }, new List { Number = 5 }),
        ["a newer list that someone else signed"] = new(Why.Revoked,
            new List { Number = 4, ThisUpdate = TestFleet.Now.AddHours(-2), Entries = [s_leaf] }, new List { Number = 5, Signer = s_otherKey })
        { Oracle = null },
        ["5.2.4 a delta names it"] =
            new(Why.Revoked, new List(), new List { Number = 6, DeltaBase = 5, Entries = [s_leaf] }) { Leaf = Fresh, Oracle = s_deltas },
        ["5.2.4 a delta on an older list names it"] =
            new(Why.Revoked, new List(), new List { Number = 6, DeltaBase = 3, Entries = [s_leaf] }) { Leaf = Fresh, Oracle = s_deltas },
        ["5.2.4 a delta that adds to a later list"] =
            new(Why.Valid, new List(), new List { Number = 8, DeltaBase = 7, Entries = [s_leaf] }) { Leaf = Fresh, Oracle = s_deltas },
        ["5.2.4 a delta that is older than the list"] =
            new(Why.Valid, new List(), new List { Number = 4, DeltaBase = 3, Entries = [s_leaf] }) { Leaf = Fresh, Oracle = s_deltas },
        ["5.2.4 a delta takes it off"] = new(Why.Valid,
            new List { Entries = [Leaf(w => Reason(w, 6))] }, new List { Number = 6, DeltaBase = 5, Entries = [Leaf(w => Reason(w, 8))] })
        { Leaf = Fresh, Oracle = s_deltas },
        // OpenSSL takes the first delta that fits, not the newest.
        ["5.2.4 the newer of two deltas takes it off"] = new(Why.Valid,
            new List { Entries = [Leaf(w => Reason(w, 6))] },
            new List { Number = 6, DeltaBase = 5, Entries = [Leaf(w => Reason(w, 6))] },
            new List { Number = 7, DeltaBase = 5, ThisUpdate = TestFleet.Now.AddMinutes(-1), Entries = [Leaf(w => Reason(w, 8))] })
        { Oracle = null },
        ["5.2.4 a delta of another scope"] = new(Why.Valid,
            new List(), new List { Number = 6, DeltaBase = 5, Entries = [s_leaf], Scope = w => w.Value(0x81, [0xFF]) })
        { Leaf = Fresh, Oracle = s_deltas },
        ["5.2.4 a delta that someone else signed"] = new(Why.Valid,
            new List(), new List { Number = 6, DeltaBase = 5, Entries = [s_leaf], Signer = s_otherKey })
        { Oracle = null },
        ["5.2.4 a delta with an unknown critical extension"] = new(Why.Valid,
            new List(), new List { Number = 6, DeltaBase = 5, Entries = [s_leaf], More = w => CertificateWriter.Extension(w, Unknown, true, w => w.Null()) })
        { Oracle = null },
        ["5.2.4 a delta without a complete list"] = new(Why.RevocationUnknown, new List { Number = 6, DeltaBase = 5 }) { Oracle = null },
        ["5.2.5 of users alone"] = new(Why.Valid, new List { Scope = w => w.Value(0x81, [0xFF]) }) { Oracle = ["-extended_crl"] },
        ["5.2.5 of authorities alone"] =
            new(Why.RevocationUnknown, new List { Scope = w => w.Value(0x82, [0xFF]), Entries = [s_leaf] }) { Oracle = ["-extended_crl"] },
        ["5.2.5 of attribute certificates alone"] = new(Why.RevocationUnknown, new List { Scope = w => w.Value(0x85, [0xFF]) }) { Oracle = ["-extended_crl"] },
        ["5.2.5 of users and of authorities alone"] = Malformed(new List
        {
            Scope = w =>
            {
                w.Value(0x81, [0xFF]);
                w.Value(0x82, [0xFF]);
            },
        }) with
        { Oracle = null },
        ["5.2.5 a flag that is not DER"] = Malformed(new List { Scope = w => w.Value(0x81, [0x01]) }) with { Oracle = null },
        ["6.3.3(d) for some reasons"] = new(Why.RevocationUnknown, new List { Scope = w => w.NamedBits(1 << 1, 0x83) }) { Oracle = ["-extended_crl"] },
        ["6.3.3(l) for some reasons, and another one for the rest"] = new(Why.Valid,
            new List { Scope = w => w.NamedBits(0x1E, 0x83) }, new List { Scope = w => w.NamedBits(0x1E0, 0x83) })
        { Oracle = null },
        ["6.3.3(l) for some reasons, and the other one names it"] = new(Why.Revoked,
            new List { Scope = w => w.NamedBits(0x1E, 0x83) }, new List { Scope = w => w.NamedBits(0x1E0, 0x83), Entries = [s_leaf] })
        { Oracle = ["-extended_crl"] },
        ["6.3.3(b)(2) of the certificate's point"] = new(Why.Valid, new List { Scope = Full }) { Leaf = Pointed, Oracle = ["-extended_crl"] },
        ["6.3.3(b)(2) of another point"] = new(Why.RevocationUnknown, new List { Scope = Full })
        {
            Leaf = c => c.Set(ObjectIdentifiers.CrlDistributionPoints, false, w => CertificateWriter.WritePoint(w, "http://example.com/other.crl")),
            Oracle = ["-extended_crl"],
        },
        ["6.3.3(b)(1) an indirect list for who names no issuer of lists"] = new(Why.Valid, new List
        {
            Scope = w =>
            {
                Full(w);
                w.Value(0x84, [0xFF]);
            },
        })
        { Leaf = Pointed, Oracle = ["-extended_crl"] },
        ["5.3.3 an indirect list names it for another issuer"] = new(Why.Valid, new List
        {
            Scope = w =>
            {
                Full(w);
                w.Value(0x84, [0xFF]);
            },
            Entries = [Leaf(w => Issuer(w, "Other CA"))],
        })
        { Leaf = Pointed, Oracle = ["-extended_crl"] },
        ["5.3.3 an entry behind one of another issuer"] = new(Why.Valid, new List
        {
            Scope = w =>
            {
                Full(w);
                w.Value(0x84, [0xFF]);
            },
            Entries = [new([5]) { Extensions = w => Issuer(w, "Other CA") }, s_leaf],
        })
        { Leaf = Pointed, Oracle = ["-extended_crl"] },
        ["5.3.3 an entry behind one of the own issuer"] = new(Why.Revoked, new List
        {
            Scope = w =>
            {
                Full(w);
                w.Value(0x84, [0xFF]);
            },
            Entries = [new([5]) { Extensions = w => Issuer(w, "Other CA") }, new([6]) { Extensions = w => Issuer(w, "Test CA") }, s_leaf],
        })
        { Leaf = Pointed, Oracle = ["-extended_crl"] },
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Judges_by_the_clause(string name)
    {
        Case c = s_cases[name];
        TestCertificate authority = TestCertificate.Authority();
        c.Root(authority);
        Certificate root = authority.Build();
        TestCertificate person = TestCertificate.User();
        c.Leaf(person);
        Certificate leaf = person.Build();
        byte[][] encoded = [.. c.Lists.Select(list => Encode(list, root))];

        Checked<CertificateRevocationList>[] read = [.. encoded.Select(der => CertificateRevocationList.Parse(der))];
        for (int i = 0; i < read.Length; i++)
            Assert.Equal(c.Malformed == i + 1, read[i].Value is null);
        if (c.Malformed == 0)
        {
            ValidationResult result = PathValidator.Validate(leaf, [], TrustStore.Create(root), new ValidationOptions
            {
                Time = TestFleet.Now,
                Purpose = ValidationPurpose.Client,
                Policy = ValidationPolicy.Internet,
                Identity = IdentityDemand.NotRequired,
                Crls = CrlStore.Create(CrlDemand.Required, read.Select(r => r.Require())),
            });
            Assert.True(c.Reason == result.Reason, $"{result.Reason}: {result.Message}");
        }

        if (c.Oracle is not { } arguments)
            return;
        OpenSslTests.Require("openssl");
        Assert.True((c.Reason == Why.Valid) == OpenSslAccepts(root, leaf, encoded, arguments, out string output), output);
    }

    bool OpenSslAccepts(Certificate root, Certificate leaf, byte[][] lists, string[] arguments, out string output)
    {
        string rootFile = Path.Combine(_folder, "root.pem"), leafFile = Path.Combine(_folder, "leaf.pem"), listFile = Path.Combine(_folder, "lists.pem");
        File.WriteAllText(rootFile, root.ToPem());
        File.WriteAllText(leafFile, leaf.ToPem());
        File.WriteAllText(listFile, string.Concat(lists.Select(der => PemEncoding.WriteString("X509 CRL", der) + "\n")));
        (int code, output) = OpenSslTests.Tool(
            "openssl",
            ["verify", "-x509_strict", "-crl_check", "-attime", $"{TestFleet.Now.ToUnixTimeSeconds()}", "-CAfile", rootFile, "-CRLfile", listFile,
                .. arguments, leafFile]);
        return code == 0;
    }

    static void Pointed(TestCertificate c) => c.Set(ObjectIdentifiers.CrlDistributionPoints, false, w => CertificateWriter.WritePoint(w, Point));

    // RFC 5280 §4.2.1.15. OpenSSL looks for a delta only where the certificate or the list names one.
    static void Fresh(TestCertificate c) => c.Set("2.5.29.46", false, w => CertificateWriter.WritePoint(w, Point));

    static void Full(DerWriter w)
    {
        using (w.Open(0xA0))
        using (w.Open(0xA0))
            w.Text(0x86, Point);
    }

    static void Reason(DerWriter w, byte reason) =>
        CertificateWriter.Extension(w, ObjectIdentifiers.CrlReason, false, w => w.Value(DerTag.Enumerated, [reason]));

    static void Issuer(DerWriter w, string name) => CertificateWriter.Extension(w, ObjectIdentifiers.CertificateIssuer, true, w =>
    {
        using (w.Sequence())
        using (w.Open(0xA4))
            w.Raw(DistinguishedName.Create((ObjectIdentifiers.CommonName, name)).Der.Span);
    });

    static void Time(DerWriter w, List list, DateTimeOffset time)
    {
        if (list.HasLongTimes)
            w.GeneralizedTime(time);
        else
            w.Time(time);
    }

    static byte[] Encode(List list, Certificate root)
    {
        var content = new DerWriter();
        using (content.Sequence())
        {
            if (list.Version is { } version)
                content.Integer(version - 1);
            TestCertificate.WriteIdentifier(content, ObjectIdentifiers.Sha256WithEcdsa);
            content.Raw(DistinguishedName.Create((ObjectIdentifiers.CommonName, list.Issuer)).Der.Span);
            Time(content, list, list.ThisUpdate);
            if (list.NextUpdate is { } next)
                Time(content, list, next);
            if (list.Entries.Length > 0 || list.HasEmptyEntries)
                using (content.Sequence())
                    foreach (Entry entry in list.Entries)
                        using (content.Sequence())
                        {
                            content.UnsignedInteger(entry.Serial);
                            content.Time(TestFleet.Now.AddHours(-2));
                            if (entry.Extensions is { } write)
                                using (content.Sequence())
                                    write(content);
                        }

            if (list.HasKeyIdentifier || list.Number is not null || list.NumberOctets is not null || list.More is not null)
                using (content.Open(0xA0))
                using (content.Sequence())
                    Extensions(content, list, root);
        }

        var whole = new DerWriter();
        using (whole.Sequence())
        {
            whole.Raw(content.Written);
            TestCertificate.WriteIdentifier(whole, list.OuterAlgorithm ?? ObjectIdentifiers.Sha256WithEcdsa);
            using (whole.BitString())
                whole.Raw(list.Signer.SignData(content.Written, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }

        return [.. whole.ToArray(), .. list.Trailing];
    }

    static void Extensions(DerWriter w, List list, Certificate root)
    {
        if (list.HasKeyIdentifier)
            CertificateWriter.Extension(w, ObjectIdentifiers.AuthorityKeyIdentifier, false, w =>
            {
                using (w.Sequence())
                    w.Value(0x80, root.SubjectKeyIdentifier!.Value.Span);
            });
        if (list.NumberOctets is { } octets)
            CertificateWriter.Extension(w, ObjectIdentifiers.CrlNumber, list.IsNumberCritical, w => w.Value(DerTag.Integer, octets));
        else if (list.Number is { } number)
            CertificateWriter.Extension(w, ObjectIdentifiers.CrlNumber, list.IsNumberCritical, w => w.Integer(number));
        if (list.DeltaBase is { } from)
            CertificateWriter.Extension(w, ObjectIdentifiers.DeltaCrlIndicator, true, w => w.Integer(from));
        if (list.Scope is { } scope)
            CertificateWriter.Extension(w, ObjectIdentifiers.IssuingDistributionPoint, true, w =>
            {
                using (w.Sequence())
                    scope(w);
            });
        list.More?.Invoke(w);
    }
}
