using Xunit;

namespace Talos.Pki.Tests;

public sealed class DerReaderTests
{
    static MalformedDerException Fault(string hex, Action<byte[]> read) => Assert.Throws<MalformedDerException>(() => read(Convert.FromHexString(hex)));

    [Theory]
    [InlineData("30", 0)] // cut off
    [InlineData("3005", 1)] // longer than what is there
    [InlineData("3080", 1)] // indefinite
    [InlineData("308100", 1)] // long form for a short length
    [InlineData("30820001", 1)] // leading zero
    [InlineData("30850000000001", 1)] // five length octets
    [InlineData("3084ffffffff", 1)] // beyond 2 GiB
    [InlineData("3f8100", 0)] // high tag number
    [InlineData("0000", 0)] // reserved tag
    public void Rejects_headers_that_are_no_DER(string hex, int position) =>
        Assert.Equal(position, Fault(hex, der => new DerReader(der).Read()).Position);

    [Theory]
    [InlineData("010101")]
    [InlineData("01020000")]
    [InlineData("0100")]
    public void Rejects_booleans(string hex) => Fault(hex, der => new DerReader(der).ReadBoolean());

    [Theory]
    [InlineData("0200")]
    [InlineData("02020001")]
    [InlineData("0202ff80")]
    public void Rejects_integers(string hex) => Fault(hex, der => new DerReader(der).ReadInteger());

    [Theory]
    [InlineData("020100", 0)]
    [InlineData("02017f", 127)]
    [InlineData("02020080", 128)]
    [InlineData("02047fffffff", int.MaxValue)]
    [InlineData("02050080000000", int.MaxValue)]
    public void Accepts_small_integers(string hex, int value) => Assert.Equal(value, new DerReader(Convert.FromHexString(hex)).ReadSmallInteger());

    [Theory]
    [InlineData("0600")]
    [InlineData("060180")]
    [InlineData("06028001")]
    [InlineData("060455048001")]
    public void Rejects_object_identifiers(string hex) => Fault(hex, der => new DerReader(der).ReadObjectIdentifier());

    [Theory]
    [InlineData("2.5.29.19")]
    [InlineData("1.2.840.113549.1.1.11")]
    [InlineData("2.999.3")]
    [InlineData("0.9.2342.19200300.100.1.25")]
    [InlineData("2.23.140.1.2.1")]
    public void Accepts_object_identifiers(string dotted)
    {
        var writer = new DerWriter();
        writer.ObjectIdentifier(dotted);
        Assert.Equal(dotted, new DerReader(writer.Written).ReadObjectIdentifier());
    }

    [Theory]
    [InlineData("170c3330303130323033303430")] // no zone, and too short
    [InlineData("170d3330313330323033303430355a")] // month 13
    [InlineData("170d3330303233303033303430355a")] // 30 February
    [InlineData("170d3330303130323033303436305a")] // second 60
    [InlineData("180f32303330303130323033303430352e")] // no zone
    [InlineData("181132303330303130323033303430352e355a")] // fraction
    public void Rejects_times(string hex) => Fault(hex, der => new DerReader(der).ReadTime());

    [Theory]
    [InlineData("03020780", 1u)]
    [InlineData("03020186", 0b110_0001u)]
    [InlineData("0303070080", 1u << 8)]
    [InlineData("030100", 0u)]
    public void Accepts_named_bits_as_written(string hex, uint bits)
    {
        byte[] der = Convert.FromHexString(hex);
        Assert.Equal(bits, new DerReader(der).ReadNamedBits());
        var writer = new DerWriter();
        writer.NamedBits(bits);
        Assert.Equal(der, writer.ToArray());
    }

    [Theory]
    [InlineData("03020080")] // seven trailing zero bits not dropped
    [InlineData("03020781")] // padding set
    [InlineData("03020880")] // eight unused bits
    [InlineData("0300")]
    public void Rejects_named_bits(string hex) => Fault(hex, der => new DerReader(der).ReadNamedBits());

    [Theory]
    [InlineData(0)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(65535)]
    [InlineData(65536)]
    public void Writes_lengths_that_it_reads(int length)
    {
        var writer = new DerWriter();
        using (writer.Sequence())
            writer.Value(DerTag.OctetString, new byte[length]);
        var reader = new DerReader(writer.Written);
        DerReader inner = reader.ReadSequence();
        Assert.Equal(length, inner.Read(DerTag.OctetString).Content.Length);
        inner.RequireEnd();
        reader.RequireEnd();
    }
}
