using Xunit;
using static Talos.Pki.Tests.TestPath;
using Why = Talos.Pki.ValidationReason;

namespace Talos.Pki.Tests;

/// <summary>RFC 5280 §6.1 (with RFC 9618) on policies over longer paths: several mappings, and counters over self-issued authorities.</summary>
public sealed class PolicyClauseTests : IDisposable
{
    const string P = "1.3.6.1.4.1.99999.1", Q = "1.3.6.1.4.1.99999.2", R = "1.3.6.1.4.1.99999.3", S = "1.3.6.1.4.1.99999.4", Any = ObjectIdentifiers.AnyPolicy;

    readonly string _folder = Directory.CreateTempSubdirectory("talos-pki-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>One certificate below the root, from `policies | mappings | flags`: `P Q | P>Q | e0 m1 a0 self`.</summary>
    static void Apply(TestPath path, int at, string text)
    {
        TestCertificate c = path.Certificates[at];
        string[][] sections = [.. text.Split('|').Select(section => section.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        if (sections[0].Length > 0)
            c.Set(ObjectIdentifiers.CertificatePolicies, false, w =>
            {
                using (w.Sequence())
                    foreach (string policy in sections[0])
                        using (w.Sequence())
                            w.ObjectIdentifier(Identifier(policy));
            });
        if (sections.Length > 1 && sections[1].Length > 0)
            c.Set(ObjectIdentifiers.PolicyMappings, true, w =>
            {
                using (w.Sequence())
                    foreach (string mapping in sections[1])
                        using (w.Sequence())
                            foreach (string policy in mapping.Split('>'))
                                w.ObjectIdentifier(Identifier(policy));
            });
        foreach (string flag in sections.Length > 2 ? sections[2] : [])
            if (flag == "self")
                (c.Subject, path.Certificates[at + 1].Issuer) = (c.Issuer, c.Issuer);
        string[] limits = sections.Length > 2 ? [.. sections[2].Where(f => f[0] is 'e' or 'm').Order()] : [];
        if (limits.Length > 0)
            c.Set(ObjectIdentifiers.PolicyConstraints, true, w =>
            {
                using (w.Sequence())
                    foreach (string limit in limits)
                        w.UnsignedInteger([byte.Parse(limit[1..])], limit[0] == 'e' ? (byte)0x80 : (byte)0x81);
            });
        if (sections.Length > 2 && sections[2].FirstOrDefault(f => f[0] == 'a') is { } any)
            c.Set(ObjectIdentifiers.InhibitAnyPolicy, true, w => w.Integer(int.Parse(any[1..])));
    }

    static string Identifier(string policy) => policy switch { "P" => P, "Q" => Q, "R" => R, "S" => S, "*" => Any, _ => throw new ArgumentOutOfRangeException(nameof(policy)) };

    // What the caller asks for: policies, and `!` for an explicit policy, `m` for no mapping, `a` for no any-policy. Then each certificate below the root.
    [Theory]
    [InlineData(true, "! P", "P | P>Q", "Q | Q>R", "R")]
    [InlineData(false, "! R", "P | P>Q", "Q | Q>R", "R")]
    [InlineData(false, "! Q", "P | P>Q", "Q | Q>R", "R")]
    [InlineData(false, "! P", "P | P>Q", "Q | Q>R", "Q")]
    [InlineData(false, "! P", "P | P>Q", "P | P>R", "R")]
    [InlineData(true, "! P", "P | P>Q", "Q | Q>R", "R | R>S", "S")]
    [InlineData(false, "! P", "P | P>Q", "Q | Q>R", "R | R>S", "R")]
    [InlineData(true, "! P", "P | P>Q", "Q | Q>P", "P")]
    [InlineData(false, "! Q", "P | P>Q", "Q | Q>P", "P")]
    [InlineData(true, "! P", "P | P>Q P>R", "R")]
    [InlineData(true, "! P", "P | P>Q P>R", "Q R | Q>S R>S", "S")]
    [InlineData(true, "! Q", "P Q | P>R Q>R", "R")]
    [InlineData(false, "! S", "P Q | P>R Q>R", "R")]
    [InlineData(true, "! P", "P Q | P>Q Q>P", "Q")]
    [InlineData(false, "! P", "P Q | P>Q Q>P", "P")]
    // §6.1.4(b)(1): a mapped policy that is there as any policy
    [InlineData(true, "! P", "* | P>Q", "Q")]
    [InlineData(false, "! Q", "* | P>Q", "P")]
    [InlineData(true, "! R", "* | P>Q", "R")]
    [InlineData(false, "! P", "R | P>Q", "Q")]
    [InlineData(false, "", "P | *>Q", "Q")]
    [InlineData(false, "", "P | P>*", "Q")]
    [InlineData(false, "!", "P | P>Q", "P | | ", "Q")]
    // inhibitPolicyMapping
    [InlineData(false, "! m P", "P | P>Q", "Q")]
    [InlineData(true, "! m P", "P", "P")]
    [InlineData(false, "! P", "P | | m0", "P | P>Q", "Q")]
    [InlineData(true, "! P", "P | | m1", "P | P>Q", "Q")]
    [InlineData(false, "! P", "P | | m1", "P | P>Q", "Q | Q>R", "R")]
    [InlineData(true, "! P", "P | | m1", "P | P>Q | self", "Q | Q>R", "R")]
    [InlineData(true, "! P", "P | P>Q | m0", "Q")]
    // requireExplicitPolicy
    [InlineData(false, "", "| | e0", "P")]
    [InlineData(true, "", "P | | e0", "P")]
    [InlineData(false, "", "| | e1", "", "")]
    [InlineData(false, "", "| | e2", "", "")]
    [InlineData(true, "", "| | e3", "", "")]
    [InlineData(false, "", "| | e1", "| | self", "")]
    [InlineData(true, "", "| | e2", "| | self", "")]
    [InlineData(false, "", "| | e5", "| | e0", "")]
    [InlineData(false, "", "| | e0", "| | e5", "")]
    [InlineData(false, "", "", "| | e0")]
    [InlineData(true, "", "", "| | e1")]
    [InlineData(false, "! P", "P", "P", "Q")]
    // inhibitAnyPolicy
    [InlineData(true, "! P", "*", "*", "P")]
    [InlineData(true, "! P", "*", "*", "*")]
    [InlineData(true, "! P", "P", "*", "P")]
    [InlineData(false, "! P", "P | | a0", "*", "P")]
    [InlineData(true, "! P", "P | | a1", "*", "P")]
    [InlineData(false, "! P", "P | | a1", "*", "*")]
    [InlineData(true, "! P", "P | | a0", "* | | self", "P")]
    [InlineData(false, "! P", "P | | a0", "* | | self", "*")]
    [InlineData(true, "! P", "P | | a1", "* | | self", "*")]
    [InlineData(false, "! P", "P | | a1", "* | | a5", "*")]
    [InlineData(false, "! a", "*", "P")]
    [InlineData(true, "! a", "P", "P")]
    [InlineData(true, "", "P", "*")]
    // Whom nothing requires a policy of is valid without one.
    [InlineData(true, "P", "Q", "Q")]
    [InlineData(true, "m a", "P", "")]
    [InlineData(true, "! P Q", "P Q", "Q")]
    [InlineData(false, "! P Q", "P Q R", "R")]
    [InlineData(true, "! *", "Q", "Q")]
    [InlineData(false, "! *", "Q", "")]
    public void Judges_policies(bool isValid, string asked, params string[] certificates)
    {
        TestPath path = Sound(certificates.Length - 1);
        for (int i = 0; i < certificates.Length; i++)
            Apply(path, i + 1, certificates[i]);
        string[] words = asked.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] policies = [.. words.Where(word => word is not ("!" or "m" or "a")).Select(Identifier)];
        path.Options = path.Options with
        {
            InitialPolicies = [.. policies],
            RequireExplicitPolicy = words.Contains("!"),
            InhibitPolicyMapping = words.Contains("m"),
            InhibitAnyPolicy = words.Contains("a"),
        };
        // OpenSSL takes no policy at all for none, not for any.
        path.Oracle =
        [
            "-policy_check", .. policies.DefaultIfEmpty(Any).SelectMany(policy => new[] { "-policy", policy }), .. words.Contains("!") ? ["-explicit_policy"] : Array.Empty<string>(),
            .. words.Contains("m") ? ["-inhibit_map"] : Array.Empty<string>(), .. words.Contains("a") ? ["-inhibit_any"] : Array.Empty<string>(),
        ];
        path.Judge(isValid ? Why.Valid : Why.Policy, _folder);
    }

    static TestPath Raw(bool critical, params byte[] octets) => With(p =>
    {
        p.Authority.Set(ObjectIdentifiers.CertificatePolicies, false, w => w.Raw([0x30, 6, 0x30, 4, 6, 2, 0x2A, 3]));
        p.Leaf.Set(ObjectIdentifiers.CertificatePolicies, critical, w => w.Raw(octets));
        p.Options = p.Options with { RequireExplicitPolicy = true };
        p.Oracle = ["-policy_check", "-explicit_policy", "-policy", Any];
    });

    [Fact]
    public void Accepts_a_critical_list_with_a_statement()
    {
        // PolicyInformation { 1.2.3, { { id-qt-cps, IA5String "a" } } }
        Raw(true, 0x30, 0x17, 0x30, 0x15, 6, 2, 0x2A, 3, 0x30, 0x0F, 0x30, 0x0D, 6, 8, 0x2B, 6, 1, 5, 5, 7, 2, 1, 0x16, 1, 0x61).Judge(Why.Valid, _folder);
    }

    [Fact]
    public void Rejects_a_policy_that_is_there_twice() => Raw(false, 0x30, 12, 0x30, 4, 6, 2, 0x2A, 3, 0x30, 4, 6, 2, 0x2A, 3).Judge(Why.MalformedCertificate, _folder);

    [Fact]
    public void Rejects_an_empty_list_and_empty_qualifiers()
    {
        Raw(false, 0x30, 0).Judge(Why.MalformedCertificate, _folder);
        TestPath path = Raw(false, 0x30, 8, 0x30, 6, 6, 2, 0x2A, 3, 0x30, 0);
        path.Oracle = null;
        path.Judge(Why.MalformedCertificate, _folder);
    }

    [Fact]
    public void Survives_mappings_that_would_make_a_tree_grow_without_end()
    {
        // Eight policies, each mapped to each, through six authorities: a tree would have 8^7 leaves (RFC 9618 §3).
        TestPath path = Sound(6);
        string[] policies = [.. Enumerable.Range(1, 8).Select(i => $"1.3.6.1.4.1.99999.{i}")];
        foreach (TestCertificate c in path.Certificates.Skip(1))
        {
            c.Set(ObjectIdentifiers.CertificatePolicies, false, w =>
            {
                using (w.Sequence())
                    foreach (string policy in policies)
                        using (w.Sequence())
                            w.ObjectIdentifier(policy);
            });
            if (c != path.Leaf)
                c.Set(ObjectIdentifiers.PolicyMappings, true, w =>
                {
                    using (w.Sequence())
                        foreach (string from in policies)
                            foreach (string to in policies)
                                using (w.Sequence())
                                {
                                    w.ObjectIdentifier(from);
                                    w.ObjectIdentifier(to);
                                }
                });
        }

        path.Options = path.Options with { RequireExplicitPolicy = true, InitialPolicies = ["1.3.6.1.4.1.99999.99"] };
        path.Oracle = null;
        path.Judge(Why.Policy, _folder);
    }
}
