using System.Text;
using System.Text.Json;
using Xunit;

namespace Talos.Policy.Tests;

public sealed class JsonTests
{
    [Theory]
    [InlineData("""{"b":1,"a":[1.50,"x\ny",null],"a":2}""", """{"a":2,"b":1}""")]
    [InlineData("""[{"k":"v"},{"k":"v","l":1},{"l":1,"k":"v"},{"\u006b":"v"}]""", """[{"k":"v"},{"k":"v","l":1},{"k":"v","l":1},{"k":"v"}]""")]
    [InlineData("\"\\ud83d\\ude00 \\ud800 \\udc00\"", "\"😀 \uFFFD \uFFFD\"")]
    [InlineData("\"\\u0041\\/\\b\\f\\r\\t\\\\\"", "\"A/\\b\\f\\r\\t\\\\\"")]
    public void Accepts_what_Go_reads(string json, string expected) => Assert.Equal(expected, ValueJson.Format(ValueJson.Parse(json)));

    [Fact]
    public void Accepts_objects_with_more_names_than_there_are_shapes()
    {
        var text = new StringBuilder("[");
        for (int i = 0; i < 300; i++) text.Append(i > 0 ? "," : "").Append('{').AppendJoin(',', Enumerable.Range(0, 30).Select(k => $"\"k{i * 30 + k}\":{k}")).Append('}');
        var read = Assert.IsType<ArrayValue>(ValueJson.Parse(text.Append(']').ToString()));
        Assert.Equal(300, read.Items.Length);
        Assert.All(read.Items.Select((item, i) => (item, i)), x => Assert.Equal(Value.From(29), x.item.Get($"k{x.i * 30 + 29}")));
    }

    [Theory]
    [InlineData(new byte[] { (byte)'"', 0xDE, (byte)'"' })]
    [InlineData(new byte[] { (byte)'{', (byte)'"', 0xC0, 0x80, (byte)'"', (byte)':', (byte)'1', (byte)'}' })]
    public void Rejects_bytes_that_are_not_UTF_8(byte[] json) => Assert.Throws<JsonException>(() => ValueJson.Parse(json));

    [Theory]
    [InlineData("1 2")]
    [InlineData("[1,]")]
    [InlineData("\"\\x\"")]
    [InlineData("\"\\u12\"")]
    [InlineData("{\"a\"")]
    public void Rejects_text_that_is_not_JSON(string json) => Assert.ThrowsAny<JsonException>(() => ValueJson.Parse(json));
}
