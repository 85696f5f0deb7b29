using System.Collections.Immutable;
using System.Net;
using System.Text;

namespace Talos.Pki;

/// <summary>Kinds of subject alternative names (RFC 5280 §4.2.1.6), as a set for profiles.</summary>
[Flags]
public enum NameKinds
{
    None = 0,
    Other = 1,
    Email = 2,
    Dns = 4,
    Directory = 8,
    Uri = 16,
    Address = 32,
    Registered = 64,
}

/// <summary>One general name. <see cref="Text"/> is its value for people; the octets decide comparisons.</summary>
public sealed record GeneralName
{
    internal GeneralName(NameKinds kind, string text, ReadOnlyMemory<byte> octets, DistinguishedName? directory = null)
    {
        Kind = kind;
        Text = text;
        Octets = octets;
        Directory = directory;
    }

    public NameKinds Kind { get; }

    public string Text { get; }

    /// <summary>Content octets of the name's encoding.</summary>
    internal ReadOnlyMemory<byte> Octets { get; }

    internal DistinguishedName? Directory { get; }

    /// <summary>The mailbox in letters of any script that another name holds (SmtpUTF8Mailbox, RFC 9598 §3), as a mailbox; null for other names.</summary>
    internal GeneralName? InternationalMailbox { get; private init; }

    internal bool IsInternationalMailbox { get; private init; }

    /// <summary>For kinds that <see cref="NameKinds.Registered"/> sums up: which one it is.</summary>
    byte Tag { get; init; }

    /// <summary>
    /// A constraint binds names of its own form (RFC 5280 §4.2.1.10). Other names of all types count as one form: nobody knows what an unknown type says.
    /// </summary>
    internal bool HasFormOf(GeneralName name) => Kind == name.Kind && Tag == name.Tag;

    public override string ToString() => Kind switch
    {
        NameKinds.Dns => $"DNS:{Text}",
        NameKinds.Address => $"IP:{Text}",
        NameKinds.Uri => $"URI:{Text}",
        NameKinds.Email => $"email:{Text}",
        NameKinds.Directory => $"DirName:{Text}",
        _ => $"{Kind}:{Text}",
    };

    // LIMIT: general names in one list; a certificate with more is refused long before name constraints could multiply it.
    internal const int MaximumNames = 4096;

    internal static ImmutableArray<GeneralName> ParseList(DerReader list, ReadOnlyMemory<byte> document, bool constraint = false)
    {
        var names = ImmutableArray.CreateBuilder<GeneralName>();
        while (!list.AtEnd)
        {
            if (names.Count == MaximumNames)
                throw new MalformedDerException(list.Position, $"a list has more than {MaximumNames} names") { Reason = PkiReason.TooLarge };
            names.Add(Parse(ref list, document, constraint));
        }

        return names.DrainToImmutable();
    }

    internal static GeneralName Parse(ref DerReader reader, ReadOnlyMemory<byte> document, bool constraint = false)
    {
        DerValue value = reader.Read();
        ReadOnlyMemory<byte> octets = document[value.Inner];
        switch (value.Tag)
        {
            case 0xA0:
                DerReader other = value.Reader();
                string type = other.ReadObjectIdentifier();
                DerReader wrapper = other.Read(DerTag.ContextConstructed(0)).Reader();
                DerValue content = wrapper.Read();
                wrapper.RequireEnd();
                other.RequireEnd();
                return new GeneralName(NameKinds.Other, type, octets)
                {
                    InternationalMailbox = type == ObjectIdentifiers.SmtpUtf8Mailbox
                        ? new GeneralName(NameKinds.Email, Utf8(content), octets) { IsInternationalMailbox = true } : null,
                };
            case 0x81:
                return new GeneralName(NameKinds.Email, Ascii(value), octets);
            case 0x82:
                return new GeneralName(NameKinds.Dns, Ascii(value), octets);
            case 0xA3 or 0xA5:
                return new GeneralName(NameKinds.Registered, Convert.ToHexStringLower(value.Content), octets) { Tag = value.Tag };
            case 0xA4:
                DerReader name = value.Reader();
                DistinguishedName directory = DistinguishedName.Parse(ref name, document);
                name.RequireEnd();
                return new GeneralName(NameKinds.Directory, directory.ToString(), octets, directory);
            case 0x86:
                return new GeneralName(NameKinds.Uri, Ascii(value), octets);
            case 0x87:
                return new GeneralName(NameKinds.Address, AddressText(value, constraint), octets);
            case 0x88:
                string registered = ObjectIdentifiers.ToText(value.Content)
                    ?? throw new MalformedDerException(value.Start, "a registered identifier is malformed");
                return new GeneralName(NameKinds.Registered, registered, octets) { Tag = value.Tag };
            default:
                throw new MalformedDerException(value.Start, $"tag 0x{value.Tag:x2} is no general name");
        }
    }

    static string Utf8(DerValue value)
    {
        string text = value.Tag == DerTag.Utf8String ? NameAttribute.DecodeUtf8(value)
            : throw new MalformedDerException(value.Start, "an international mailbox is no UTF-8 string");
        foreach (char c in text)
            if (char.IsControl(c))
                throw new MalformedDerException(value.Start, "an international mailbox holds a control character");
        return text;
    }

    static string Ascii(DerValue value)
    {
        // A NUL or a control character in a name has only ever been an attack.
        foreach (byte b in value.Content)
            if (b is < 0x20 or > 0x7E)
                throw new MalformedDerException(value.Start, "a name holds an octet that is not printable ASCII");
        return Encoding.ASCII.GetString(value.Content);
    }

    // RFC 5280 §4.2.1.6: 4 or 16 octets; §4.2.1.10: with a mask, 8 or 32.
    static string AddressText(DerValue value, bool constraint)
    {
        ReadOnlySpan<byte> c = value.Content;
        int size = constraint ? c.Length / 2 : c.Length;
        if (size is not (4 or 16) || (constraint && c.Length % 2 != 0))
            throw new MalformedDerException(value.Start, $"an address of {c.Length} octets is neither IPv4 nor IPv6");
        string address = new IPAddress(c[..size]).ToString();
        return constraint ? $"{address}/{new IPAddress(c[size..])}" : address;
    }
}
