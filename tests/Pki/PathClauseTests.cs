using System.Net;
using System.Security.Cryptography;
using Xunit;
using static Talos.Pki.Tests.TestPath;
using Why = Talos.Pki.ValidationReason;

namespace Talos.Pki.Tests;

/// <summary>
/// RFC 5280 §6.1, one case a clause: root, authority, leaf, sound but for the clause that the case is about. OpenSSL judges each too, where it
/// looks at the clause at all.
/// </summary>
public sealed class PathClauseTests : IDisposable
{
    const string PolicyP = "1.3.6.1.4.1.99999.1", PolicyQ = "1.3.6.1.4.1.99999.2", Unknown = "1.3.6.1.4.1.99999.9";

    readonly string _folder = Directory.CreateTempSubdirectory("talos-pki-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static void Policies(TestCertificate c, params string[] policies) => c.Set(ObjectIdentifiers.CertificatePolicies, false, w =>
    {
        using (w.Sequence())
            foreach (string policy in policies)
                using (w.Sequence())
                    w.ObjectIdentifier(policy);
    });

    static void Maps(TestCertificate c, string from, string to) => c.Set(ObjectIdentifiers.PolicyMappings, true, w =>
    {
        using (w.Sequence())
        using (w.Sequence())
        {
            w.ObjectIdentifier(from);
            w.ObjectIdentifier(to);
        }
    });

    /// <summary>permittedSubtrees is 0xA0, excludedSubtrees 0xA1 (RFC 5280 §4.2.1.10).</summary>
    static void Subtrees(TestCertificate c, byte which, Action<DerWriter> name) => c.Set(ObjectIdentifiers.NameConstraints, true, w =>
    {
        using (w.Sequence())
        using (w.Open(which))
        using (w.Sequence())
            name(w);
    });

    static void Directory4(DerWriter w, string organization)
    {
        using (w.Open(0xA4))
        using (w.Sequence())
        using (w.Set())
        using (w.Sequence())
        {
            w.ObjectIdentifier(ObjectIdentifiers.Organization);
            w.Text(DerTag.Utf8String, organization);
        }
    }

    static TestPath Named(byte which, Action<DerWriter> subtree, Action<DerWriter> names) => With(p =>
    {
        Subtrees(p.Authority, which, subtree);
        p.Leaf.SetNames(names);
    });

    static TestPath Policied(string[] authority, string[] leaf, Action<TestPath> more, params string[] oracle) => With(p =>
    {
        if (authority.Length > 0) Policies(p.Authority, authority);
        if (leaf.Length > 0) Policies(p.Leaf, leaf);
        p.Oracle = ["-policy_check", .. oracle];
        more(p);
    });

    static void Want(TestPath path, params string[] policies) => path.Options = path.Options with { InitialPolicies = [.. policies], RequireExplicitPolicy = true };

    static void LooseKeyUsage(TestPath path, TestCertificate c, byte bits)
    {
        c.Set(ObjectIdentifiers.KeyUsage, true, w => w.Raw([3, 3, 7, bits, 0]));
        path.Oracle = null;
    }

    static readonly byte[] s_net = [10, 0, 0, 0, 255, 0, 0, 0];

    static readonly Dictionary<string, (Why Reason, Func<TestPath> Make)> s_cases = new()
    {
        ["sound"] = (Why.Valid, () => Sound()),
        ["sound, two authorities"] = (Why.Valid, () => Sound(2)),
        ["6.1.3(a)(1) leaf signed by another key"] = (Why.BadSignature, () => With(p => p.Leaf.Signer = StrangeKey)),
        ["6.1.3(a)(1) authority signed by another key"] = (Why.BadSignature, () => With(p => p.Authority.Signer = StrangeKey)),
        ["6.1.3(a)(2) leaf expired"] = (Why.Expired, () => With(p => p.Leaf.NotAfter = TestFleet.Now.AddSeconds(-1))),
        // OpenSSL takes the last second for past; RFC 5280 §4.1.2.5 has it belong to the validity.
        ["6.1.3(a)(2) leaf in its last second"] = (Why.Valid, () => With(p => (p.Leaf.NotAfter, p.Oracle) = (TestFleet.Now, null))),
        ["6.1.3(a)(2) leaf in its first second"] = (Why.Valid, () => With(p => p.Leaf.NotBefore = TestFleet.Now)),
        ["6.1.3(a)(2) leaf not yet valid"] = (Why.NotYetValid, () => With(p => p.Leaf.NotBefore = TestFleet.Now.AddSeconds(1))),
        ["6.1.3(a)(2) authority expired"] = (Why.Expired, () => With(p => p.Authority.NotAfter = TestFleet.Now.AddSeconds(-1))),
        ["6.1.3(a)(2) authority not yet valid"] = (Why.NotYetValid, () => With(p => p.Authority.NotBefore = TestFleet.Now.AddSeconds(1))),
        ["6.1.3(a)(4) issuer's name is another"] = (Why.UnknownIssuer, () =>
            With(p => p.Leaf.Issuer = [TestCertificate.Text(ObjectIdentifiers.CommonName, "A9")])),
        ["6.1.3(b) host inside"] = (Why.Valid, () => Named(0xA0, w => w.Text(0x82, "example.com"), w => w.Text(0x82, "a.example.com"))),
        ["6.1.3(b) host outside"] = (Why.NameConstraints, () =>
            Named(0xA0, w => w.Text(0x82, "example.com"), w => w.Text(0x82, "a.example.org"))),
        ["6.1.3(b) host that only ends like it"] = (Why.NameConstraints, () =>
            Named(0xA0, w => w.Text(0x82, "example.com"), w => w.Text(0x82, "badexample.com"))),
        ["6.1.3(b) one host of two outside"] = (Why.NameConstraints, () => Named(0xA0, w => w.Text(0x82, "example.com"), w =>
        {
            w.Text(0x82, "a.example.com");
            w.Text(0x82, "a.example.org");
        })),
        ["6.1.3(c) host excluded"] = (Why.NameConstraints, () =>
            Named(0xA1, w => w.Text(0x82, "example.com"), w => w.Text(0x82, "a.EXAMPLE.com"))),
        ["6.1.3(c) host not excluded"] = (Why.Valid, () =>
            Named(0xA1, w => w.Text(0x82, "example.com"), w => w.Text(0x82, "a.example.org"))),
        ["6.1.3(b) address inside"] = (Why.Valid, () =>
            Named(0xA0, w => w.Value(0x87, s_net), w => w.Address(0x87, IPAddress.Parse("10.1.2.3")))),
        ["6.1.3(b) address outside"] = (Why.NameConstraints, () =>
            Named(0xA0, w => w.Value(0x87, s_net), w => w.Address(0x87, IPAddress.Parse("11.1.2.3")))),
        ["6.1.3(b) address of the other family"] = (Why.NameConstraints, () =>
            Named(0xA0, w => w.Value(0x87, s_net), w => w.Address(0x87, IPAddress.Parse("2001:db8::1")))),
        ["6.1.3(c) address excluded"] = (Why.NameConstraints, () =>
            Named(0xA1, w => w.Value(0x87, s_net), w => w.Address(0x87, IPAddress.Parse("10.1.2.3")))),
        ["6.1.3(b) mailbox inside"] = (Why.Valid, () =>
            Named(0xA0, w => w.Text(0x81, "example.com"), w => w.Text(0x81, "anna@example.com"))),
        ["6.1.3(b) mailbox of a host below"] = (Why.NameConstraints, () =>
            Named(0xA0, w => w.Text(0x81, "example.com"), w => w.Text(0x81, "anna@mail.example.com"))),
        ["6.1.3(b) URI inside"] = (Why.Valid, () =>
            Named(0xA0, w => w.Text(0x86, ".example.com"), w => w.Text(0x86, "https://a.example.com/x"))),
        ["6.1.3(b) URI outside"] = (Why.NameConstraints, () =>
            Named(0xA0, w => w.Text(0x86, ".example.com"), w => w.Text(0x86, "https://example.org/x"))),
        ["6.1.3(b) subject outside"] = (Why.NameConstraints, () => With(p => Subtrees(p.Authority, 0xA0, w => Directory4(w, "elsewhere")))),
        ["6.1.3(b) subject inside"] = (Why.Valid, () => With(p => Subtrees(p.Authority, 0xA0, w => Directory4(w, "os:admin")))),
        ["6.1.3(c) subject excluded"] = (Why.NameConstraints, () => With(p => Subtrees(p.Authority, 0xA1, w => Directory4(w, "os:admin")))),
        ["6.1.3(b) another kind is constrained"] = (Why.Valid, () =>
            Named(0xA0, w => w.Text(0x82, "example.com"), w => w.Text(0x81, "anna@example.org"))),
        ["6.1.4(g) constraints of an authority further up"] = (Why.NameConstraints, () => With(p =>
        {
            Subtrees(p.Authority, 0xA0, w => w.Text(0x82, "example.com"));
            Subtrees(p.Certificates[2], 0xA0, w => w.Text(0x82, "example.org"));
            p.Leaf.SetNames(w => w.Text(0x82, "a.example.org"));
        }, 2)),
        ["6.1.3(d) the policy asked for"] = (Why.Valid, () =>
            Policied([PolicyP], [PolicyP], p => Want(p, PolicyP), "-explicit_policy", "-policy", PolicyP)),
        ["6.1.3(d) another policy than asked for"] = (Why.Policy, () =>
            Policied([PolicyP, PolicyQ], [PolicyQ], p => Want(p, PolicyP), "-explicit_policy", "-policy", PolicyP)),
        ["6.1.3(d) a policy that its authority does not have"] = (Why.Policy, () =>
            Policied([PolicyQ], [PolicyP], p => Want(p), "-explicit_policy")),
        ["6.1.3(d)(2) any policy above"] = (Why.Valid, () =>
            Policied([ObjectIdentifiers.AnyPolicy], [PolicyP], p => Want(p, PolicyP), "-explicit_policy", "-policy", PolicyP)),
        ["6.1.3(d)(2) any policy, inhibited at first"] = (Why.Policy, () =>
            Policied(
                [ObjectIdentifiers.AnyPolicy], [PolicyP],
                p => p.Options = p.Options with { RequireExplicitPolicy = true, InhibitAnyPolicy = true }, "-explicit_policy", "-inhibit_any")),
        ["6.1.3(e) no policies below a need for them"] = (Why.Policy, () => Policied([PolicyP], [], p => Want(p), "-explicit_policy")),
        ["6.1.4(a) any policy is mapped"] = (Why.Policy, () =>
            Policied([ObjectIdentifiers.AnyPolicy], [PolicyP], p => Maps(p.Authority, ObjectIdentifiers.AnyPolicy, PolicyP))),
        ["6.1.4(b) a mapped policy"] = (Why.Valid, () => Policied([PolicyP], [PolicyQ], p =>
        {
            Maps(p.Authority, PolicyP, PolicyQ);
            Want(p, PolicyP);
        }, "-explicit_policy", "-policy", PolicyP)),
        ["6.1.4(b) a mapped policy, mapping inhibited"] = (Why.Policy, () => Policied([PolicyP], [PolicyQ], p =>
        {
            Maps(p.Authority, PolicyP, PolicyQ);
            p.Options = p.Options with { InitialPolicies = [PolicyP], RequireExplicitPolicy = true, InhibitPolicyMapping = true };
        }, "-explicit_policy", "-policy", PolicyP, "-inhibit_map")),
        ["6.1.4(i) an authority requires policies"] = (Why.Policy, () =>
            Policied([PolicyP], [], p => p.Authority.Set(ObjectIdentifiers.PolicyConstraints, true, w => w.Raw([0x30, 3, 0x80, 1, 0])))),
        ["6.1.4(j) an authority inhibits any policy"] = (Why.Policy, () => Policied([PolicyP], [ObjectIdentifiers.AnyPolicy], p =>
        {
            p.Authority.Set(ObjectIdentifiers.InhibitAnyPolicy, true, w => w.Raw([2, 1, 0]));
            Want(p);
        }, "-explicit_policy")),
        ["6.1.4(k) no basic constraints"] = (Why.NotAuthority, () =>
            With(p => p.Authority.Extensions.Remove(ObjectIdentifiers.BasicConstraints))),
        ["6.1.4(k) not an authority"] = (Why.NotAuthority, () => With(p => p.Authority.SetBasicConstraints(true, false, null))),
        ["6.1.4(k) an authority of version 1"] = (Why.InvalidStructure, () => With(p =>
        {
            p.Authority.Version = 1;
            p.Authority.Extensions.Clear();
        })),
        ["6.1.4(l) path length reached"] = (Why.Valid, () => With(p => p.Authority.SetBasicConstraints(true, true, 1), 2)),
        ["6.1.4(m) path length exceeded"] = (Why.PathTooLong, () => With(p => p.Authority.SetBasicConstraints(true, true, 0), 2)),
        ["6.1.4(l) a self-issued authority costs no length"] = (Why.Valid, () => With(p =>
        {
            p.Authority.SetBasicConstraints(true, true, 0);
            p.Certificates[2].Subject = p.Authority.Subject;
            p.Leaf.Issuer = p.Authority.Subject;
        }, 2)),
        ["6.1.4(n) may not sign certificates"] = (Why.KeyUsage, () =>
            With(p => p.Authority.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)KeyUsages.CrlSign)))),
        ["6.1.4(o) unknown critical extension in the authority"] = (Why.UnknownCriticalExtension, () =>
            With(p => p.Authority.Set(Unknown, true, w => w.Null()))),
        ["6.1.5(f) unknown critical extension in the leaf"] = (Why.UnknownCriticalExtension, () =>
            With(p => p.Leaf.Set(Unknown, true, w => w.Null()))),
        ["6.1.5(f) unknown extension that is not critical"] = (Why.Valid, () => With(p => p.Leaf.Set(Unknown, false, w => w.Null()))),
        ["4.2.1.12 a leaf for another purpose"] = (Why.KeyPurpose, () => With(p =>
        {
            p.Leaf.SetPurposes(ObjectIdentifiers.ServerAuth);
            p.Oracle = ["-purpose", "sslclient"];
        })),
        ["4.2.1.12 an authority for another purpose"] = (Why.KeyPurpose, () => With(p =>
        {
            p.Authority.SetPurposes(ObjectIdentifiers.ServerAuth);
            p.Oracle = ["-purpose", "sslclient"];
        })),
        ["4.2.1.12 an authority for this purpose"] = (Why.Valid, () => With(p =>
        {
            p.Authority.SetPurposes(ObjectIdentifiers.ClientAuth);
            p.Oracle = ["-purpose", "sslclient"];
        })),
        ["4.2.1.9 a leaf that signs certificates"] = (Why.InvalidStructure, () => With(p =>
        {
            p.Leaf.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)KeyUsages.KeyCertSign));
            p.Oracle = ["-purpose", "sslclient"];
        })),
        ["6.1.3(b) a kind of name that nobody can compare"] = (Why.NameConstraints, () =>
            Named(0xA0, w => w.Value(0x88, [0x2A, 3]), w => w.Value(0x88, [0x2A, 3, 4]))),
        ["6.1.3(c) URI excluded"] = (Why.NameConstraints, () =>
            Named(0xA1, w => w.Text(0x86, "example.com"), w => w.Text(0x86, "https://example.com/x"))),
        // OpenSSL takes the first of two.
        ["4.2 an extension twice"] = (Why.MalformedCertificate, () =>
            With(p => (p.Leaf.RepeatedExtension, p.Oracle) = (ObjectIdentifiers.ExtendedKeyUsage, null))),
        // Two public roots are written so; OpenSSL does not mind anyone's.
        ["X.690 11.2.2 key usage of the root ends in zero bits"] =
            (Why.Valid, () => With(p => p.Certificates[0].Set(ObjectIdentifiers.KeyUsage, true, w => w.Raw([3, 3, 7, 6, 0])))),
        ["X.690 11.2.2 key usage of the authority ends in zero bits"] =
            (Why.InvalidStructure, () => With(p => LooseKeyUsage(p, p.Authority, 6))),
        ["X.690 11.2.2 key usage of the leaf ends in zero bits"] =
            (Why.InvalidStructure, () => With(p => LooseKeyUsage(p, p.Leaf, 0x80))),
        // OpenSSL looks at no serial.
        ["4.1.2.2 serial of zero"] = (Why.InvalidStructure, () => With(p => (p.Leaf.Serial, p.Oracle) = ([0], null))),
        ["4.1.2.2 negative serial"] = (Why.InvalidStructure, () => With(p => (p.Leaf.Serial, p.Oracle) = ([0x80], null))),
        ["4.1.2.2 serial of 21 octets"] = (Why.InvalidStructure, () =>
            With(p => (p.Leaf.Serial, p.Oracle) = ([0x01, .. new byte[20]], null))),
        ["4.1.1.2 algorithms inside and outside differ"] = (Why.MalformedCertificate, () =>
            With(p => p.Leaf.OuterSignatureOid = ObjectIdentifiers.Sha384WithEcdsa)),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Judges_by_the_clause(string name) => s_cases[name].Make().Judge(s_cases[name].Reason, _folder);
}
