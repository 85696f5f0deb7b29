using System.Text;
using Xunit;
using static Talos.Pki.Tests.TestPath;
using Why = Talos.Pki.ValidationReason;

namespace Talos.Pki.Tests;

/// <summary>
/// RFC 5280 §4.2.1.10, kind of name by kind of name: one authority with one subtree, permitted or excluded, and a leaf with one name. OpenSSL judges each
/// too, where it reads the clause as this library does.
/// </summary>
public sealed class NameConstraintTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("talos-pki-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>What both judges say; or this library alone, where the other one is laxer or stricter than the clause, or does not know it.</summary>
    public enum Say
    {
        Refused = 0,
        Inside,
        RefusedHere,
        InsideHere,

        /// <summary>The constraint itself has no form that the clause gives it.</summary>
        Odd,
        OddHere,

        /// <summary>The name itself has none.</summary>
        OddName,
        OddNameHere,
    }

    static Why Expected(Say say) => say switch
    {
        Say.Inside or Say.InsideHere => Why.Valid,
        Say.Refused or Say.RefusedHere => Why.NameConstraints,
        Say.Odd or Say.OddHere or Say.OddName or Say.OddNameHere => Why.InvalidStructure,
        _ => throw new ArgumentOutOfRangeException(nameof(say)),
    };

    static bool Alone(Say say) => say is Say.InsideHere or Say.RefusedHere or Say.OddHere or Say.OddNameHere;

    const string Smtp = "1.3.6.1.5.5.7.8.9", Upn = "1.3.6.1.4.1.311.20.2.3";

    /// <summary>A general name from `kind:value`.</summary>
    static void Write(DerWriter w, string name)
    {
        string kind = name[..name.IndexOf(':')], value = name[(kind.Length + 1)..];
        switch (kind)
        {
            case "mail": w.Text(0x81, value); break;
            case "dns": w.Text(0x82, value); break;
            case "uri": w.Text(0x86, value); break;
            case "ip": w.Value(0x87, Convert.FromHexString(value.Replace(" ", "", StringComparison.Ordinal))); break;
            case "oid": w.Value(0x88, ObjectIdentifiers.Encode(value)); break;
            case "x400": w.Value(0xA3, []); break;
            case "edi":
                using (w.Open(0xA5))
                using (w.Open(0xA1))
                    w.Utf8(value);
                break;
            case "smtp" or "upn":
                using (w.Open(0xA0))
                {
                    w.ObjectIdentifier(kind == "smtp" ? Smtp : Upn);
                    using (w.Open(0xA0))
                        w.Utf8(value);
                }

                break;
            case "dir":
                using (w.Open(0xA4))
                    Name(w, value);
                break;
            default: throw new ArgumentOutOfRangeException(nameof(name));
        }
    }

    // Parts by `/`, values of one part by `+`, each `o=utf8`, `p=printable`, `t=teletex`, `b=bmp`, `u=universal` of an organization, or `c=` of a common name.
    static void Name(DerWriter w, string parts)
    {
        using (w.Sequence())
            foreach (string part in parts.Split('/', StringSplitOptions.RemoveEmptyEntries))
                using (w.Set())
                    foreach (string value in part.Split('+'))
                        using (w.Sequence())
                        {
                            w.ObjectIdentifier(value[0] == 'c' ? ObjectIdentifiers.CommonName : value[0] == 'e' ? ObjectIdentifiers.EmailAddress : ObjectIdentifiers.Organization);
                            (byte tag, Encoding encoding) = value[0] switch
                            {
                                'p' => (DerTag.PrintableString, Encoding.ASCII),
                                't' => (DerTag.TeletexString, Encoding.Latin1),
                                'b' => (DerTag.BmpString, Encoding.BigEndianUnicode),
                                'u' => (DerTag.UniversalString, new UTF32Encoding(bigEndian: true, byteOrderMark: false)),
                                'e' => (DerTag.Ia5String, Encoding.ASCII),
                                _ => (DerTag.Utf8String, Encoding.UTF8),
                            };
                            w.Value(tag, encoding.GetBytes(value[2..]));
                        }
    }

    static void Constrain(TestCertificate c, string[] permitted, string[] excluded) => c.Set(ObjectIdentifiers.NameConstraints, true, w =>
    {
        using (w.Sequence())
        {
            Subtrees(w, 0xA0, permitted);
            Subtrees(w, 0xA1, excluded);
        }
    });

    static void Subtrees(DerWriter w, byte tag, string[] subtrees)
    {
        if (subtrees.Length == 0)
            return;
        using (w.Open(tag))
            foreach (string subtree in subtrees)
                using (w.Sequence())
                    Write(w, subtree);
    }

    static TestPath Made(string[] permitted, string[] excluded, string[] names, int authorities = 1) => With(p =>
    {
        Constrain(p.Authority, permitted, excluded);
        p.Leaf.SetNames(w =>
        {
            foreach (string name in names)
                Write(w, name);
        });
    }, authorities);

    void Judge(Say say, TestPath path)
    {
        if (Alone(say))
            path.Oracle = null;
        path.Judge(Expected(say), _folder);
    }

    // A subtree, a name, what follows when the subtree is permitted, and what when it is excluded.
    [Theory]
    [InlineData("dns:example.com", "dns:example.com", Say.Inside, Say.Refused)]
    [InlineData("dns:example.com", "dns:a.b.example.com", Say.Inside, Say.Refused)]
    [InlineData("dns:example.com", "dns:EXAMPLE.Com", Say.Inside, Say.Refused)]
    [InlineData("dns:EXAMPLE.com", "dns:a.example.com", Say.Inside, Say.Refused)]
    [InlineData("dns:example.com", "dns:xample.com", Say.Refused, Say.Inside)]
    [InlineData("dns:xample.com", "dns:example.com", Say.Refused, Say.Inside)]
    [InlineData("dns:example.com", "dns:com", Say.Refused, Say.Inside)]
    [InlineData("dns:com", "dns:example.com", Say.Inside, Say.Refused)]
    [InlineData("dns:example.com", "dns:example.com.org", Say.Refused, Say.Inside)]
    [InlineData("dns:www.example.com", "dns:example.com", Say.Refused, Say.Inside)]
    [InlineData("dns:", "dns:example.com", Say.Inside, Say.Refused)]
    [InlineData("dns:xn--bcher-kva.example", "dns:a.xn--bcher-kva.example", Say.Inside, Say.Refused)]
    [InlineData("dns:xn--bcher-kva.example", "dns:a.XN--BCHER-KVA.example", Say.Inside, Say.Refused)]
    [InlineData("dns:xn--bcher-kva.example", "dns:a.bcher-kva.example", Say.Refused, Say.Inside)]
    [InlineData("dns:example.com", "dns:*.example.com", Say.Inside, Say.Refused)]
    [InlineData("dns:example.com", "dns:*.a.example.com", Say.Inside, Say.Refused)]
    // A wildcard is outside what is permitted as soon as one of its names is, and inside what is excluded as soon as one of them is.
    [InlineData("dns:www.example.com", "dns:*.example.com", Say.Refused, Say.RefusedHere)]
    [InlineData("dns:a.www.example.com", "dns:*.example.com", Say.Refused, Say.Inside)]
    [InlineData("dns:www.example.org", "dns:*.example.com", Say.Refused, Say.Inside)]
    // The clause gives leading dots to URIs and mail alone, and nobody stars or trailing dots.
    [InlineData("dns:.example.com", "dns:a.example.com", Say.OddHere, Say.OddHere)]
    [InlineData("dns:*.example.com", "dns:a.example.com", Say.OddHere, Say.OddHere)]
    [InlineData("dns:example.com.", "dns:a.example.com", Say.OddHere, Say.OddHere)]
    [InlineData("dns:exa mple.com", "dns:a.example.com", Say.OddHere, Say.OddHere)]
    [InlineData("dns:.", "dns:a.example.com", Say.OddHere, Say.OddHere)]
    [InlineData("dns:192.0.2.1", "dns:a.example.com", Say.OddHere, Say.OddHere)]
    [InlineData("dns:example.com", "dns:a.example.com.", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("dns:example.com", "dns:.example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("dns:example.com", "dns:a..example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("dns:example.com", "dns:a.*.example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("dns:example.com", "dns:w*.example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("dns:example.com", "dns:*", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("dns:example.com", "dns:*.*.example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("dns:example.com", "dns: ", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("dns:example.com", "dns:", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("dns:example.com", "dns:evil.org/.example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("dns:example.com", "dns:-a.example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("dns:example.com", "ip:0A000001", Say.Inside, Say.Inside)]
    [InlineData("dns:example.com", "mail:a@example.org", Say.Inside, Say.Inside)]
    [InlineData("dns:example.com", "uri:https://example.org/", Say.Inside, Say.Inside)]
    [InlineData("dns:example.com", "upn:example.org", Say.Inside, Say.Inside)]

    [InlineData("mail:example.com", "mail:anna@example.com", Say.Inside, Say.Refused)]
    [InlineData("mail:example.com", "mail:anna@EXAMPLE.com", Say.Inside, Say.Refused)]
    [InlineData("mail:example.com", "mail:anna@a.example.com", Say.Refused, Say.Inside)]
    [InlineData("mail:example.com", "mail:anna@xample.com", Say.Refused, Say.Inside)]
    [InlineData("mail:example.com", "mail:anna@badexample.com", Say.Refused, Say.Inside)]
    [InlineData("mail:.example.com", "mail:anna@a.example.com", Say.Inside, Say.Refused)]
    [InlineData("mail:.example.com", "mail:anna@a.b.example.com", Say.Inside, Say.Refused)]
    [InlineData("mail:.example.com", "mail:anna@example.com", Say.Refused, Say.Inside)]
    [InlineData("mail:anna@example.com", "mail:anna@example.com", Say.Inside, Say.Refused)]
    [InlineData("mail:anna@example.com", "mail:anna@EXAMPLE.COM", Say.Inside, Say.Refused)]
    [InlineData("mail:anna@example.com", "mail:Anna@example.com", Say.Refused, Say.Inside)]
    [InlineData("mail:anna@example.com", "mail:berta@example.com", Say.Refused, Say.Inside)]
    [InlineData("mail:anna@example.com", "mail:joanna@example.com", Say.Refused, Say.Inside)]
    [InlineData("mail:*@example.com", "mail:anna@example.com", Say.Refused, Say.Inside)]
    [InlineData("mail:*@example.com", "mail:*@example.com", Say.Inside, Say.Refused)]
    [InlineData("mail:example.com", "mail:\"a b\"@example.com", Say.Inside, Say.Refused)]
    [InlineData("mail:example.com", "mail:\"a@evil.org\"@example.com", Say.Inside, Say.Refused)]
    [InlineData("mail:example.com", "mail:\"a@example.com\"@evil.org", Say.Refused, Say.Inside)]
    [InlineData("mail:\"a@b\"@example.com", "mail:\"a@b\"@example.com", Say.InsideHere, Say.RefusedHere)]
    [InlineData("mail:example.com", "mail:a@evil.org@example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("mail:example.com", "mail:a b@example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("mail:example.com", "mail:a..b@example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("mail:example.com", "mail:.a@example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("mail:example.com", "mail:@example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("mail:example.com", "mail:\"a\"b\"@example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("mail:example.com", "mail:Anna <anna@example.com>", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("mail:example.com", "mail:example.com", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("mail:example.com", "mail:anna@", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("mail:example.com", "mail:anna@example.com.", Say.OddNameHere, Say.OddNameHere)]
    // Whether an address literal is below a domain, the clause does not say.
    [InlineData("mail:example.com", "mail:anna@[192.0.2.1]", Say.Refused, Say.RefusedHere)]
    [InlineData("mail:@example.com", "mail:anna@example.com", Say.OddHere, Say.OddHere)]
    [InlineData("mail:*.example.com", "mail:anna@a.example.com", Say.OddHere, Say.OddHere)]
    [InlineData("mail:a@b@example.com", "mail:anna@example.com", Say.OddHere, Say.OddHere)]
    [InlineData("mail:example.com", "dns:example.org", Say.Inside, Say.Inside)]

    [InlineData("mail:example.com", "smtp:\u00e4nna@example.com", Say.Inside, Say.Refused)]
    [InlineData("mail:example.com", "smtp:\u00e4nna@EXAMPLE.com", Say.InsideHere, Say.RefusedHere)]
    [InlineData("mail:example.com", "smtp:\u00e4nna@example.org", Say.Refused, Say.Inside)]
    [InlineData("mail:.example.com", "smtp:\u00e4nna@a.example.com", Say.InsideHere, Say.RefusedHere)]
    [InlineData("mail:xn--bcher-kva.example", "smtp:\u00e4nna@xn--bcher-kva.example", Say.InsideHere, Say.RefusedHere)]
    // RFC 9598 §3: the host of such a mailbox is in A-labels.
    [InlineData("mail:xn--bcher-kva.example", "smtp:\u00e4nna@b\u00fccher.example", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("mail:example.com", "smtp:\u00e4nna", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("smtp:\u00e4nna@example.com", "smtp:\u00e4nna@example.com", Say.RefusedHere, Say.RefusedHere)]
    [InlineData("smtp:\u00e4nna@example.com", "mail:anna@example.com", Say.Inside, Say.Inside)]

    [InlineData("uri:a.example.com", "uri:https://a.example.com/x", Say.Inside, Say.Refused)]
    [InlineData("uri:a.example.com", "uri:https://A.EXAMPLE.com", Say.Inside, Say.Refused)]
    [InlineData("uri:a.example.com", "uri:spiffe://a.example.com?q", Say.InsideHere, Say.RefusedHere)]
    [InlineData("uri:example.com", "uri:https://a.example.com/", Say.Refused, Say.Inside)]
    [InlineData("uri:.example.com", "uri:https://a.example.com/", Say.Inside, Say.Refused)]
    [InlineData("uri:.example.com", "uri:https://b.a.example.com/", Say.Inside, Say.Refused)]
    [InlineData("uri:.example.com", "uri:https://example.com/", Say.Refused, Say.Inside)]
    [InlineData("uri:.example.com", "uri:https://badexample.com/", Say.Refused, Say.Inside)]
    [InlineData("uri:a.example.com", "uri:https://a.example.com:8443/", Say.Inside, Say.Refused)]
    [InlineData("uri:a.example.com", "uri:https://anna@a.example.com/", Say.InsideHere, Say.RefusedHere)]
    [InlineData("uri:a.example.com", "uri:https://anna:x@a.example.com:1/", Say.InsideHere, Say.RefusedHere)]
    [InlineData("uri:a.example.com", "uri:https://a.example.com@evil.org/", Say.RefusedHere, Say.InsideHere)]
    [InlineData("uri:a.example.com", "uri:https://evil.org/@a.example.com", Say.Refused, Say.Inside)]
    [InlineData("uri:a.example.com", "uri:https://evil.org?@a.example.com", Say.RefusedHere, Say.InsideHere)]
    [InlineData("uri:a.example.com", "uri:https://evil.org#@a.example.com", Say.RefusedHere, Say.InsideHere)]
    [InlineData("uri:a.example.com", "uri:https://evil.org\\@a.example.com/", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("uri:a.example.com", "uri:https://x@evil.org@a.example.com/", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("uri:a.example.com", "uri:https://a.example.com:x/", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("uri:a.example.com", "uri:https://a.example.com:1:2/", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("uri:a.example.com", "uri:/a.example.com/", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("uri:a.example.com", "uri://a.example.com/", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("uri:a.example.com", "uri:1https://a.example.com/", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("uri:a.example.com", "uri:https://a.example.com/a b", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("uri:a.example.com", "uri:https://a.example.com/%4", Say.OddNameHere, Say.OddNameHere)]
    [InlineData("uri:a.example.com", "uri:a.example.com", Say.OddNameHere, Say.OddNameHere)]
    // A URI without a host that is a domain name is refused as soon as URIs are constrained.
    [InlineData("uri:a.example.com", "uri:https://[2001:db8::1]/", Say.Refused, Say.RefusedHere)]
    [InlineData("uri:a.example.com", "uri:https://192.0.2.1/", Say.Refused, Say.RefusedHere)]
    [InlineData("uri:a.example.com", "uri:https:///x", Say.Refused, Say.RefusedHere)]
    [InlineData("uri:a.example.com", "uri:urn:uuid:1", Say.Refused, Say.Refused)]
    [InlineData("uri:a.example.com", "uri:mailto:anna@a.example.com", Say.Refused, Say.Refused)]
    [InlineData("uri:a.example.com", "uri:urn:x://a.example.com/", Say.RefusedHere, Say.Refused)]
    [InlineData("uri:a.example.com", "uri:http:/evil.org/://a.example.com/", Say.RefusedHere, Say.RefusedHere)]
    [InlineData("uri:a.example.com", "uri:urn:x?y=://a.example.com/", Say.RefusedHere, Say.RefusedHere)]
    [InlineData("uri:a.example.com", "uri:https://%61.example.com/", Say.Refused, Say.RefusedHere)]
    [InlineData("uri:a.example.com", "uri:https://a.example.com./", Say.Refused, Say.RefusedHere)]
    [InlineData("uri:https://a.example.com/", "uri:https://a.example.com/", Say.OddHere, Say.OddHere)]
    [InlineData("uri:*.example.com", "uri:https://a.example.com/", Say.OddHere, Say.OddHere)]
    [InlineData("uri:a.example.com", "dns:evil.org", Say.Inside, Say.Inside)]

    [InlineData("ip:0A000000 FF000000", "ip:0A010203", Say.Inside, Say.Refused)]
    [InlineData("ip:0A000000 FF000000", "ip:0B010203", Say.Refused, Say.Inside)]
    [InlineData("ip:0A000000 FE000000", "ip:0B010203", Say.Inside, Say.Refused)]
    [InlineData("ip:0A010203 FFFFFFFF", "ip:0A010203", Say.Inside, Say.Refused)]
    [InlineData("ip:0A010203 FFFFFFFF", "ip:0A010202", Say.Refused, Say.Inside)]
    [InlineData("ip:0A0000FF FF000000", "ip:0A010203", Say.InsideHere, Say.RefusedHere)]
    [InlineData("ip:00000000 00000000", "ip:0A010203", Say.Inside, Say.Refused)]
    [InlineData("ip:00000000 00000000", "ip:20010DB8000000000000000000000001", Say.Refused, Say.Inside)]
    [InlineData("ip:00000000000000000000000000000000 00000000000000000000000000000000", "ip:0A010203", Say.Refused, Say.Inside)]
    [InlineData("ip:00000000000000000000000000000000 00000000000000000000000000000000", "ip:20010DB8000000000000000000000001", Say.Inside, Say.Refused)]
    [InlineData("ip:20010DB8000000000000000000000000 FFFFFFFF000000000000000000000000", "ip:20010DB8000000000000000000000001", Say.Inside, Say.Refused)]
    [InlineData("ip:20010DB8000000000000000000000000 FFFFFFFF000000000000000000000000", "ip:20010DB9000000000000000000000001", Say.Refused, Say.Inside)]
    [InlineData("ip:0A000000 FF000000", "ip:00000000000000000000FFFF0A010203", Say.Refused, Say.Inside)]
    [InlineData("ip:0A000000 FF00FF00", "ip:0A010003", Say.OddHere, Say.OddHere)]
    [InlineData("ip:0A000000 00FFFFFF", "ip:0A000000", Say.OddHere, Say.OddHere)]
    [InlineData("ip:0A000000 FD000000", "ip:0A010203", Say.OddHere, Say.OddHere)]
    [InlineData("ip:0A000000 FF000000", "dns:example.com", Say.Inside, Say.Inside)]

    // The leaf's subject, `O=os:admin, CN=anna`, has to be inside of them, too.
    [InlineData("dir:o=os:admin", "dir:o=os:admin/c=berta", Say.Inside, Say.Refused)]
    [InlineData("dir:o=os:admin", "dir:o=OS:Admin", Say.Inside, Say.Refused)]
    [InlineData("dir:o=os:admin", "dir:o=  os:admin ", Say.Inside, Say.Refused)]
    [InlineData("dir:o=os:admin", "dir:p=os:admin", Say.Inside, Say.Refused)]
    [InlineData("dir:o=os:admin", "dir:c=berta/o=os:admin", Say.Refused, Say.Refused)]
    [InlineData("dir:o=os:admin", "dir:o=os:admins", Say.Refused, Say.Refused)]
    [InlineData("dir:o=os:admin/c=anna", "dir:o=os:admin", Say.Refused, Say.Refused)]
    [InlineData("dir:", "dir:o=x", Say.Inside, Say.Refused)]
    [InlineData("dir:o=os:admin+c=anna", "dir:o=x", Say.Refused, Say.Inside)]

    // Kinds without rules refuse names of their kind, and of no other.
    [InlineData("oid:1.2.3", "oid:1.2.3.4", Say.RefusedHere, Say.Refused)]
    [InlineData("oid:1.2.3", "x400:", Say.InsideHere, Say.InsideHere)]
    [InlineData("oid:1.2.3", "dns:example.com", Say.Inside, Say.Inside)]
    [InlineData("edi:x", "edi:x", Say.RefusedHere, Say.Refused)]
    [InlineData("edi:x", "oid:1.2.3", Say.InsideHere, Say.InsideHere)]
    [InlineData("x400:", "x400:", Say.RefusedHere, Say.RefusedHere)]
    [InlineData("upn:anna@example.com", "upn:anna@example.com", Say.RefusedHere, Say.Refused)]
    [InlineData("upn:anna@example.com", "dns:example.com", Say.Inside, Say.Inside)]
    public void Judges_one_name_against_one_subtree(string subtree, string name, Say permitted, Say excluded)
    {
        Judge(permitted, Made([subtree], [], [name]));
        Judge(excluded, Made([], [subtree], [name]));
    }

    static (string, byte, string)[] Part(params (string, byte, string)[] values) => values;

    static void Subject(TestPath p, params (string, byte, string)[][] parts)
    {
        p.Leaf.Subject = [.. parts];
        p.Leaf.SetNames(w => w.Text(0x82, "a.example.com"), critical: parts.Length == 0);
    }

    static readonly (string, byte, string) s_organization = (ObjectIdentifiers.Organization, DerTag.Utf8String, "Caf\u00e9 \u00c5");

    static TestPath Mailed(string[] permitted, string[] excluded, string mailbox, bool hasNames) => With(p =>
    {
        Constrain(p.Authority, permitted, excluded);
        Subject(p, Part((ObjectIdentifiers.EmailAddress, DerTag.Ia5String, mailbox)));
        if (!hasNames)
            p.Leaf.Extensions.Remove(ObjectIdentifiers.SubjectAlternativeName);
    });

    // What stands between is one authority of the name and another key: self-issued.
    static TestPath SelfIssued(Action<TestPath> change) => With(p =>
    {
        Constrain(p.Authority, ["dir:c=A1/o=below"], []);
        p.Certificates[2].Subject = p.Authority.Subject;
        p.Leaf.Issuer = p.Authority.Subject;
        p.Leaf.Subject = [.. p.Authority.Subject, TestCertificate.Text(ObjectIdentifiers.Organization, "below")];
        change(p);
    }, 2);

    static readonly Dictionary<string, (Why Reason, Func<TestPath> Make)> s_cases = new()
    {
        ["one of two permitted"] = (Why.Valid, () => Made(["dns:example.org", "dns:example.com"], [], ["dns:a.example.com"])),
        ["one of two names outside"] = (Why.NameConstraints, () => Made(["dns:example.com"], [], ["dns:a.example.com", "dns:example.org"])),
        ["permitted and excluded below"] = (Why.NameConstraints, () => Made(["dns:example.com"], ["dns:a.example.com"], ["dns:x.a.example.com"])),
        ["permitted and not excluded beside"] = (Why.Valid, () => Made(["dns:example.com"], ["dns:a.example.com"], ["dns:b.example.com"])),
        ["permitted and excluded are the same"] = (Why.NameConstraints, () => Made(["dns:example.com"], ["dns:example.com"], ["dns:example.com"])),
        ["permitted of one kind, excluded of another"] =
            (Why.NameConstraints, () => Made(["dns:example.com"], ["ip:0A000000FF000000"], ["dns:example.com", "ip:0A000001"])),
        ["both families of addresses permitted"] = (Why.Valid, () =>
            Made(["ip:0A000000FF000000", "ip:20010DB8000000000000000000000000FFFFFFFF000000000000000000000000"], [], ["ip:0A000001", "ip:20010DB8000000000000000000000001"])),
        ["an authority's own name outside"] = (Why.NameConstraints, () => With(p => Constrain(p.Authority, ["dir:o=os:admin"], []), 2)),
        ["an authority's own name excluded"] = (Why.NameConstraints, () => With(p => Constrain(p.Authority, [], ["dir:c=A2"]), 2)),
        ["an authority below takes in what one above left out"] = (Why.NameConstraints, () => With(p =>
        {
            Constrain(p.Authority, ["dns:a.example.com"], []);
            Constrain(p.Certificates[2], ["dns:example.com"], []);
            p.Leaf.SetNames(w => Write(w, "dns:b.example.com"));
        }, 2)),
        ["both authorities permit it"] = (Why.Valid, () => With(p =>
        {
            Constrain(p.Authority, ["dns:example.com"], []);
            Constrain(p.Certificates[2], ["dns:a.example.com"], []);
            p.Leaf.SetNames(w => Write(w, "dns:b.a.example.com"));
        }, 2)),
        ["the root constrains"] = (Why.NameConstraints, () => With(p =>
        {
            Constrain(p.Root, [], ["dns:example.com"]);
            p.Leaf.SetNames(w => Write(w, "dns:a.example.com"));
        })),
        ["a self-issued authority outside"] = (Why.Valid, () => SelfIssued(_ => { })),
        ["a leaf outside below a self-issued authority"] = (Why.NameConstraints, () => SelfIssued(p => p.Leaf.Subject = [.. p.Authority.Subject])),
        ["a self-issued leaf outside"] = (Why.NameConstraints, () => With(p =>
        {
            Constrain(p.Authority, [], ["dns:example.com"]);
            p.Leaf.Subject = p.Authority.Subject;
            p.Leaf.SetNames(w => Write(w, "dns:a.example.com"));
        })),
        ["nothing but a subject, which is not a host"] = (Why.Valid, () => With(p =>
        {
            Constrain(p.Authority, ["dns:example.com"], []);
            p.Leaf.Subject = [TestCertificate.Text(ObjectIdentifiers.CommonName, "anna of accounts")];
            p.Leaf.Extensions.Remove(ObjectIdentifiers.SubjectAlternativeName);
        })),
        // A host as common name: nobody is reached by it here. OpenSSL takes it for a name when there are no others.
        ["a common name outside"] = (Why.Valid, () => With(p =>
        {
            Constrain(p.Authority, ["dns:example.com"], []);
            p.Leaf.Subject = [TestCertificate.Text(ObjectIdentifiers.CommonName, "www.example.org")];
            p.Leaf.Extensions.Remove(ObjectIdentifiers.SubjectAlternativeName);
            p.Oracle = null;
        })),
        ["an empty subject under permitted subjects"] = (Why.Valid, () => With(p =>
        {
            Constrain(p.Authority, ["dir:o=x"], []);
            Subject(p);
        })),
        ["values of one part in another order"] = (Why.Valid, () => With(p =>
        {
            Constrain(p.Authority, ["dir:o=x+c=y"], []);
            Subject(p, Part((ObjectIdentifiers.CommonName, DerTag.Utf8String, "Y"), (ObjectIdentifiers.Organization, DerTag.PrintableString, "X")));
            p.Oracle = null;
        })),
        ["values of one part as parts"] = (Why.NameConstraints, () => With(p =>
        {
            Constrain(p.Authority, ["dir:o=x+c=y"], []);
            Subject(p, Part((ObjectIdentifiers.Organization, DerTag.Utf8String, "x")), Part((ObjectIdentifiers.CommonName, DerTag.Utf8String, "y")));
        })),
        ["one value of a part with two"] = (Why.NameConstraints, () => With(p =>
        {
            Constrain(p.Authority, ["dir:o=x"], []);
            Subject(p, Part((ObjectIdentifiers.Organization, DerTag.Utf8String, "x"), (ObjectIdentifiers.CommonName, DerTag.Utf8String, "y")));
        })),
        ["runs of spaces"] = (Why.NameConstraints, () => With(p =>
        {
            Constrain(p.Authority, [], ["dir:o=a b"]);
            Subject(p, Part((ObjectIdentifiers.Organization, DerTag.PrintableString, " A   b ")));
        })),
        // RFC 5280 §7.1 by RFC 4518 §2: composed or not, wide or narrow, it is one letter. OpenSSL compares octets beyond ASCII.
        ["letters composed and decomposed"] = (Why.NameConstraints, () => With(p =>
        {
            Constrain(p.Authority, [], ["dir:o=caf\u00e9 \u00e5"]);
            Subject(p, Part((ObjectIdentifiers.Organization, DerTag.Utf8String, "Cafe\u0301 \u212b")));
            p.Oracle = null;
        })),
        ["wide letters and soft hyphens"] = (Why.NameConstraints, () => With(p =>
        {
            Constrain(p.Authority, [], ["dir:o=evil"]);
            Subject(p, Part((ObjectIdentifiers.Organization, DerTag.Utf8String, "\uff25v\u00adi\u200bl")));
            p.Oracle = null;
        })),
        ["letters beyond ASCII in another case"] = (Why.NameConstraints, () => With(p =>
        {
            Constrain(p.Authority, [], ["dir:t=CAF\u00c9 \u00c5"]);
            Subject(p, Part(s_organization));
            p.Oracle = null;
        })),
        ["the same as a BMP string"] = (Why.NameConstraints, () => With(p =>
        {
            Constrain(p.Authority, [], ["dir:b=CAF\u00c9 \u00c5"]);
            Subject(p, Part(s_organization));
            p.Oracle = null;
        })),
        ["the same as a universal string"] = (Why.NameConstraints, () => With(p =>
        {
            Constrain(p.Authority, [], ["dir:u=CAF\u00c9 \u00c5"]);
            Subject(p, Part(s_organization));
            p.Oracle = null;
        })),
        ["the subject's mailbox inside"] = (Why.Valid, () => Mailed(["mail:example.com"], [], "anna@example.com", hasNames: false)),
        ["the subject's mailbox outside"] = (Why.NameConstraints, () => Mailed(["mail:example.com"], [], "anna@example.org", hasNames: false)),
        ["the subject's mailbox excluded"] = (Why.NameConstraints, () => Mailed([], ["mail:example.com"], "anna@example.com", hasNames: false)),
        // The clause asks for it where there are no alternative names; OpenSSL and this library look at it always.
        ["the subject's mailbox outside, beside names"] = (Why.NameConstraints, () => Mailed(["mail:example.com"], [], "anna@example.org", hasNames: true)),
        ["the subject's mailbox is none"] = (Why.NameConstraints, () => Mailed(["mail:example.com"], [], "example.com", hasNames: false)),
        ["too many names and subtrees"] = (Why.SearchTooLong, () => With(p =>
        {
            string[] many = [.. Enumerable.Range(0, 600).Select(i => $"dns:h{i}.example.com")];
            Constrain(p.Authority, many, []);
            p.Leaf.SetNames(w =>
            {
                foreach (string name in many)
                    Write(w, name);
            });
            p.Oracle = null;
        })),
        // Unreadable authorities help no path.
        ["a subtree with a minimum"] = (Why.UnknownIssuer, () => Bounded(0x80, 1)),
        ["a subtree with the default minimum"] = (Why.UnknownIssuer, () => Bounded(0x80, 0)),
        ["a subtree with a maximum"] = (Why.UnknownIssuer, () => Bounded(0x81, 1)),
        ["neither permitted nor excluded"] = (Why.UnknownIssuer, () => Raw(0x30, 0)),
        ["permitted without subtrees"] = (Why.UnknownIssuer, () => Raw(0x30, 2, 0xA0, 0)),
        ["excluded without subtrees"] = (Why.UnknownIssuer, () => Raw(0x30, 2, 0xA1, 0)),
        ["excluded before permitted"] = (Why.UnknownIssuer, () => Raw([0x30, 14, 0xA1, 5, 0x30, 3, 0x82, 1, 0x61, 0xA0, 5, 0x30, 3, 0x82, 1, 0x62])),
        ["a subtree without a name"] = (Why.UnknownIssuer, () => Raw(0x30, 4, 0xA0, 2, 0x30, 0)),
        ["an address of 4 octets without a mask"] = (Why.UnknownIssuer, () => Raw(0x30, 10, 0xA0, 8, 0x30, 6, 0x87, 4, 10, 0, 0, 0)),
        ["an address of 5 octets"] = (Why.UnknownIssuer, () => Raw(0x30, 11, 0xA0, 9, 0x30, 7, 0x87, 5, 10, 0, 0, 0, 8)),
        ["a host with a NUL"] = (Why.UnknownIssuer, () => Raw(0x30, 9, 0xA0, 7, 0x30, 5, 0x82, 3, 0x61, 0, 0x62)),
        ["a host beyond ASCII"] = (Why.UnknownIssuer, () => Raw(0x30, 9, 0xA0, 7, 0x30, 5, 0x82, 3, 0x61, 0xC3, 0xA9)),
    };

    static TestPath Raw(params byte[] octets) => With(p =>
    {
        p.Authority.Set(ObjectIdentifiers.NameConstraints, true, w => w.Raw(octets));
        p.Oracle = null;
    });

    static TestPath Bounded(byte tag, byte value) => With(p =>
    {
        p.Authority.Set(ObjectIdentifiers.NameConstraints, true, w =>
        {
            using (w.Sequence())
            using (w.Open(0xA0))
            using (w.Sequence())
            {
                Write(w, "uri:alpha.example");
                w.Value(tag, [value]);
            }
        });
        p.Oracle = null;
    });

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Judges_paths_under_constraints(string name) => s_cases[name].Make().Judge(s_cases[name].Reason, _folder);
}
