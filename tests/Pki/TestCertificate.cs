using System.Net;
using System.Security.Cryptography;

namespace Talos.Pki.Tests;

/// <summary>A certificate whose every field can be set, sound or not.</summary>
sealed class TestCertificate
{
    public static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public int Version { get; set; } = 3;

    public byte[] Serial { get; set; } = [0x07, .. Enumerable.Repeat((byte)0x5A, 17)];

    public string SignatureOid { get; set; } = ObjectIdentifiers.Sha256WithEcdsa;

    /// <summary>What stands beside the signature; null for the same as inside.</summary>
    public string? OuterSignatureOid { get; set; }

    /// <summary>An extension that is there twice.</summary>
    public string? RepeatedExtension { get; set; }

    public List<(string Type, byte Tag, string Text)[]> Issuer { get; set; } = [[(ObjectIdentifiers.CommonName, DerTag.Utf8String, "Test CA")]];

    public List<(string Type, byte Tag, string Text)[]> Subject { get; set; } = [];

    public DateTimeOffset NotBefore { get; set; } = TestFleet.Now.AddMinutes(-5);

    public DateTimeOffset NotAfter { get; set; } = TestFleet.Now.AddHours(8).AddSeconds(-1);

    public byte TimeTag { get; set; } = DerTag.UtcTime;

    /// <summary>Octets where unique identifiers stand.</summary>
    public byte[] UniqueIdentifier { get; set; } = [];

    /// <summary>Octets of the signature's algorithm, inside and outside.</summary>
    public byte[]? Algorithm { get; set; }

    /// <summary>Octets of the validity's two times.</summary>
    public byte[]? Times { get; set; }

    /// <summary>Octets of the version.</summary>
    public byte[]? VersionOctets { get; set; }

    /// <summary>What becomes of what is signed, before it is signed.</summary>
    public Func<byte[], byte[]> BeforeSigning { get; set; } = tbs => tbs;

    /// <summary>What becomes of the whole certificate.</summary>
    public Func<byte[], byte[]> AfterSigning { get; set; } = der => der;

    /// <summary>Signs instead of <see cref="Signer"/>.</summary>
    public Func<byte[], byte[]>? Sign { get; set; }

    public byte[] PublicKey { get; set; } = Key.ExportSubjectPublicKeyInfo();

    public Dictionary<string, (bool Critical, Action<DerWriter> Write)> Extensions { get; } = [];

    public ECDsa Signer { get; set; } = Key;

    /// <summary>A person's certificate as the User profile makes it, under <see cref="Authority"/>.</summary>
    public static TestCertificate User()
    {
        var c = new TestCertificate { Subject = [Text(ObjectIdentifiers.Organization, "os:admin"), Text(ObjectIdentifiers.CommonName, "anna")] };
        c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)KeyUsages.DigitalSignature));
        c.SetPurposes(ObjectIdentifiers.ClientAuth);
        c.SetKeyIdentifiers();
        c.SetNames(w => w.Text(0x86, "spiffe://alpha.example/user/anna"));
        return c;
    }

    /// <summary>As <see cref="User"/> with what a node has besides.</summary>
    public static TestCertificate Node()
    {
        TestCertificate c = User();
        c.Subject = [Text(ObjectIdentifiers.CommonName, "node-1")];
        c.SetPurposes(ObjectIdentifiers.ServerAuth, ObjectIdentifiers.ClientAuth);
        c.SetNodeNames(_ => { });
        return c;
    }

    /// <summary>The authority that the others name.</summary>
    public static TestCertificate Authority()
    {
        var c = new TestCertificate
        {
            Subject = [Text(ObjectIdentifiers.CommonName, "Test CA")],
            NotBefore = TestFleet.Now.AddDays(-1),
            NotAfter = TestFleet.Now.AddDays(3000),
        };
        c.SetBasicConstraints(true, true, 1);
        c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)(KeyUsages.KeyCertSign | KeyUsages.CrlSign | KeyUsages.DigitalSignature)));
        c.SetKeyIdentifiers();
        return c;
    }

    public static (string, byte, string)[] Text(string type, string text) => [(type, DerTag.Utf8String, text)];

    public void Set(string id, bool critical, Action<DerWriter> write) => Extensions[id] = (critical, write);

    public void SetPurposes(params string[] purposes) => Set(ObjectIdentifiers.ExtendedKeyUsage, false, w =>
    {
        using (w.Sequence())
            foreach (string purpose in purposes)
                w.ObjectIdentifier(purpose);
    });

    public void SetBasicConstraints(bool critical, bool authority, int? length) => Set(ObjectIdentifiers.BasicConstraints, critical, w =>
    {
        using (w.Sequence())
        {
            if (authority)
                w.Boolean(true);
            if (length is { } value)
                w.Integer(value);
        }
    });

    public void SetNames(Action<DerWriter> names, bool critical = false) => Set(ObjectIdentifiers.SubjectAlternativeName, critical, w =>
    {
        using (w.Sequence())
            names(w);
    });

    public void SetNodeNames(Action<DerWriter> more) => SetNames(w =>
    {
        w.Text(0x82, "node-1.alpha.example");
        w.Address(0x87, IPAddress.Parse("10.0.0.7"));
        more(w);
        w.Text(0x86, "spiffe://alpha.example/node/node-1");
    });

    public void SetNameConstraints(bool critical, Action<DerWriter> bases) => Set(ObjectIdentifiers.NameConstraints, critical, w =>
    {
        using (w.Sequence())
        using (w.Open(0xA0))
        using (w.Sequence())
            bases(w);
    });

    public void SetKeyIdentifiers()
    {
        byte[] id = KeyIdentifier();
        Set(ObjectIdentifiers.SubjectKeyIdentifier, false, w => w.Value(DerTag.OctetString, id));
        byte[] issuer = KeyIdentifier(Key.ExportSubjectPublicKeyInfo());
        Set(ObjectIdentifiers.AuthorityKeyIdentifier, false, w =>
        {
            using (w.Sequence())
                w.Value(0x80, issuer);
        });
    }

    public byte[] KeyIdentifier() => KeyIdentifier(PublicKey);

    static byte[] KeyIdentifier(byte[] spki)
    {
        var reader = new DerReader(spki);
        return SubjectPublicKey.Parse(ref reader, spki).Identifier.ToArray();
    }

    public Certificate Build() => Certificate.Parse(Encode()).Require();

    public byte[] Encode()
    {
        var w = new DerWriter();
        using (w.Sequence())
        {
            if (VersionOctets is { } octets)
                w.Raw(octets);
            else if (Version > 1)
                using (w.Open(0xA0))
                    w.Integer(Version - 1);
            w.Value(DerTag.Integer, Serial);
            WriteAlgorithm(w, SignatureOid);
            Name(w, Issuer);
            using (w.Sequence())
            {
                if (Times is { } times)
                {
                    w.Raw(times);
                }
                else
                {
                    Time(w, NotBefore);
                    Time(w, NotAfter);
                }
            }

            Name(w, Subject);
            w.Raw(PublicKey);
            w.Raw(UniqueIdentifier);
            if (Extensions.Count > 0)
                using (w.Open(0xA3))
                using (w.Sequence())
                    foreach ((string id, (bool critical, Action<DerWriter> write)) in Extensions.Concat(Extensions.Where(e => e.Key == RepeatedExtension)))
                        CertificateWriter.Extension(w, id, critical, write);
        }

        byte[] tbs = BeforeSigning(w.ToArray());
        var document = new DerWriter();
        using (document.Sequence())
        {
            document.Raw(tbs);
            WriteAlgorithm(document, OuterSignatureOid ?? SignatureOid);
            using (document.BitString())
                document.Raw(Sign?.Invoke(tbs) ?? Signer.SignData(tbs, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }

        return AfterSigning(document.ToArray());
    }

    void WriteAlgorithm(DerWriter w, string id)
    {
        if (Algorithm is { } octets)
            w.Raw(octets);
        else
            WriteIdentifier(w, id);
    }

    internal static void WriteIdentifier(DerWriter w, string id)
    {
        using (w.Sequence())
            w.ObjectIdentifier(id);
    }

    void Time(DerWriter w, DateTimeOffset time)
    {
        if (TimeTag == DerTag.UtcTime)
            w.Time(time);
        else
            w.GeneralizedTime(time);
    }

    static void Name(DerWriter w, List<(string Type, byte Tag, string Text)[]> parts)
    {
        using (w.Sequence())
            foreach ((string Type, byte Tag, string Text)[] part in parts)
                using (w.Set())
                    foreach ((string type, byte tag, string text) in part)
                        using (w.Sequence())
                        {
                            w.ObjectIdentifier(type);
                            w.Text(tag, text);
                        }
    }
}
