using System.Net;
using Xunit;

namespace Talos.Pki.Tests;

public sealed class NameTests
{
    static GeneralName Name(NameKinds kind, string text) => new(kind, text, default);

    [Theory]
    [InlineData("example.com", "example.com", true)]
    [InlineData("a.example.com", "Example.com", true)]
    [InlineData("badexample.com", "example.com", false)]
    [InlineData("example.com", "a.example.com", false)]
    [InlineData("example.com", "", true)]
    [InlineData("*.example.com", "example.com", true)]
    [InlineData("*.example.com", "a.example.com", false)]
    public void Compares_host_names_with_permitted_subtrees(string name, string subtree, bool inside) =>
        Assert.Equal(inside ? NameFit.Inside : NameFit.Outside, Subtree.Compare(Name(NameKinds.Dns, name), Name(NameKinds.Dns, subtree), excluding: false));

    [Theory]
    [InlineData("*.example.com", "a.example.com", true)]
    [InlineData("*.example.com", "b.a.example.com", false)]
    [InlineData("*.example.com", "com", true)]
    [InlineData("*.example.com", "example.org", false)]
    public void Compares_wildcards_with_excluded_subtrees(string name, string subtree, bool inside) =>
        Assert.Equal(inside ? NameFit.Inside : NameFit.Outside, Subtree.Compare(Name(NameKinds.Dns, name), Name(NameKinds.Dns, subtree), excluding: true));

    [Theory]
    [InlineData(NameKinds.Dns, ".example.com", "example.com")]
    [InlineData(NameKinds.Dns, "a..b", "example.com")]
    [InlineData(NameKinds.Dns, "example.com", ".example.com")]
    [InlineData(NameKinds.Dns, "example.com", "*.example.com")]
    [InlineData(NameKinds.Email, "no-at-sign", "example.com")]
    [InlineData(NameKinds.Uri, "urn:isbn:1", "example.com")]
    [InlineData(NameKinds.Uri, "https://10.0.0.1/", "example.com")]
    [InlineData(NameKinds.Other, "1.2.3", "1.2.3")]
    [InlineData(NameKinds.Registered, "1.2.3", "1.2.3")]
    public void Decides_nothing_about_malformed_or_unknown_names(NameKinds kind, string name, string subtree) =>
        Assert.Equal(NameFit.Undecidable, Subtree.Compare(Name(kind, name), Name(kind, subtree), excluding: true));

    [Theory]
    [InlineData(NameKinds.Email, "a@example.com", "example.com", true)]
    [InlineData(NameKinds.Email, "a@b.example.com", "example.com", false)]
    [InlineData(NameKinds.Email, "a@b.example.com", ".example.com", true)]
    [InlineData(NameKinds.Email, "a@example.com", ".example.com", false)]
    [InlineData(NameKinds.Email, "a@EXAMPLE.com", "a@example.com", true)]
    [InlineData(NameKinds.Email, "A@example.com", "a@example.com", false)]
    [InlineData(NameKinds.Uri, "spiffe://alpha.example/user/anna", "alpha.example", true)]
    [InlineData(NameKinds.Uri, "spiffe://beta.alpha.example/user/anna", "alpha.example", false)]
    [InlineData(NameKinds.Uri, "https://u@a.alpha.example:8443/x?y#z", ".alpha.example", true)]
    public void Compares_mailboxes_and_uris(NameKinds kind, string name, string subtree, bool inside) =>
        Assert.Equal(inside ? NameFit.Inside : NameFit.Outside, Subtree.Compare(Name(kind, name), Name(kind, subtree), excluding: false));

    [Theory]
    [InlineData("10.0.0.7", "10.0.0.0", "255.255.255.0", nameof(NameFit.Inside))]
    [InlineData("10.0.1.7", "10.0.0.0", "255.255.255.0", nameof(NameFit.Outside))]
    [InlineData("10.0.0.7", "10.0.0.0", "255.0.255.0", nameof(NameFit.Undecidable))]
    [InlineData("::1", "10.0.0.0", "255.0.0.0", nameof(NameFit.Outside))]
    [InlineData("2001:db8::1", "2001:db8::", "ffff:ffff::", nameof(NameFit.Inside))]
    public void Compares_addresses(string address, string network, string mask, string fit)
    {
        byte[] subtree = [.. IPAddress.Parse(network).GetAddressBytes(), .. IPAddress.Parse(mask).GetAddressBytes()];
        var name = new GeneralName(NameKinds.Address, address, IPAddress.Parse(address).GetAddressBytes());
        Assert.Equal(Enum.Parse<NameFit>(fit), Subtree.Compare(name, new GeneralName(NameKinds.Address, "", subtree), excluding: false));
    }

    [Theory]
    [InlineData("*.example.com", "a.example.com", true)]
    [InlineData("*.example.com", "A.EXAMPLE.com", true)]
    [InlineData("*.example.com", "example.com", false)]
    [InlineData("*.example.com", "b.a.example.com", false)]
    [InlineData("a.*.example.com", "a.b.example.com", false)]
    [InlineData("w*.example.com", "www.example.com", false)]
    [InlineData("*.com", "example.com", false)]
    [InlineData("*", "localhost", false)]
    [InlineData("localhost", "localhost", true)]
    [InlineData("10.0.0.1", "10.0.0.1", false)]
    [InlineData("example.com.", "example.com.", false)]
    public void Matches_presented_host_names(string presented, string expected, bool matches) =>
        Assert.Equal(matches, DnsName.Matches(presented, expected));

    [Fact]
    public void Compares_distinguished_names_without_case_spaces_and_string_type()
    {
        DistinguishedName a = DistinguishedName.Create((ObjectIdentifiers.Organization, "Talos  Fleet"), (ObjectIdentifiers.CommonName, " Root "));
        var test = new TestCertificate
        {
            Subject = [[(ObjectIdentifiers.Organization, DerTag.PrintableString, "talos fleet")], [(ObjectIdentifiers.CommonName, DerTag.Utf8String, "ROOT")]],
        };
        DistinguishedName b = test.Build().Subject;
        Assert.Equal(a, b);
        Assert.Equal(a.GetHashCode(), b.GetHashCode());
        Assert.NotEqual(a, DistinguishedName.Create((ObjectIdentifiers.CommonName, "Root"), (ObjectIdentifiers.Organization, "Talos Fleet")));
        Assert.NotEqual(a, DistinguishedName.Create((ObjectIdentifiers.Organization, "TalosFleet"), (ObjectIdentifiers.CommonName, "Root")));
    }

    [Fact]
    public void Escapes_what_a_terminal_would_obey() =>
        Assert.Equal("CN=a\\1b[31m\\, \\u202eb", DistinguishedName.Create((ObjectIdentifiers.CommonName, "a\u001b[31m, \u202eb")).ToString());
}
