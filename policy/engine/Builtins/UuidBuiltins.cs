using System.Buffers.Binary;
using System.Globalization;

namespace Talos.Policy;

/// <summary>RFC 4122.</summary>
static class UuidBuiltins
{
    // 100 ns steps between 15 October 1582 and 1 January 1970.
    const long GregorianToUnix = 122_192_928_000_000_000;

    public static IEnumerable<Builtin> All =>
    [
        new("uuid.rfc4122", 1, (e, a) =>
        {
            string key = "uuid:" + Operand.Text(a[0], 1);
            if (!e.Memo.TryGetValue(key, out Value? value)) e.Memo.Add(key, value = Value.From(Guid.NewGuid().ToString()));
            return value;
        }),
        Builtin.Of("uuid.parse", Parse),
    ];

    static ObjectValue? Parse(Value v)
    {
        string text = Operand.Text(v, 1);
        if (text.StartsWith("urn:uuid:", StringComparison.OrdinalIgnoreCase)) text = text[9..];
        else if (text.Length == 38 && text[0] == '{' && text[37] == '}') text = text[1..37];
        if (text.Length == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-') text = text.Replace("-", "", StringComparison.Ordinal);
        if (text.Length != 32 || !text.All(char.IsAsciiHexDigit)) return null;
        byte[] bytes = Convert.FromHexString(text);
        int version = bytes[6] >> 4;
        string variant = (bytes[8] >> 5) switch { < 4 => "Reserved", 4 or 5 => "RFC4122", 6 => "Microsoft", _ => "Future" };
        var fields = new Dictionary<Value, Value> { [Value.From("version")] = Value.From(version), [Value.From("variant")] = Value.From(variant) };
        if (version is 1 or 2)
        {
            uint low = BinaryPrimitives.ReadUInt32BigEndian(bytes);
            long steps = (long)(BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(6)) & 0xFFF) << 48 | (long)BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(4)) << 32 | low;
            fields[Value.From("time")] = Value.From((steps - GregorianToUnix) * 100);
            fields[Value.From("clocksequence")] = Value.From(BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(8)) & 0x3FFF);
            fields[Value.From("nodeid")] = Value.From(string.Join('-', bytes[10..].Select(b => b.ToString("x2", CultureInfo.InvariantCulture))));
            fields[Value.From("macvariables")] = Value.From((bytes[10] & 3) switch { 0 => "global:unicast", 1 => "global:multicast", 2 => "local:unicast", _ => "local:multicast" });
            if (version == 2)
            {
                fields[Value.From("id")] = Value.From(low);
                fields[Value.From("domain")] = Value.From(bytes[9] switch { 0 => "Person", 1 => "Group", 2 => "Org", byte other => $"Domain{other}" });
            }
        }
        return ObjectValue.From(fields);
    }
}
