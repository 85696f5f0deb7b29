using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Talos.Api.Machine.V1;
using Talos.Audit;
using Talos.Osctl.Output;
using Xunit;

namespace Talos.Osctl.Tests;

public sealed class OutputTests
{
    [Fact]
    public void Accepts_a_message_with_every_field_by_its_proto_name()
    {
        var tree = MessageTree.From(new ServiceListResponse
        {
            Services =
            {
                new Service
                {
                    Id = "osd", State = ServiceState.Running, LastEvent = "started \"process\" 231", Pid = -1, Restarts = 3,
                    LastChange = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 600, TimeSpan.Zero)),
                },
                new Service(),
            },
        });
        var expected = JsonNode.Parse("""
            { "services": [
              { "id": "osd", "state": "SERVICE_STATE_RUNNING", "health": "SERVICE_HEALTH_UNKNOWN", "last_change": "2026-01-02T03:04:05.6Z", "last_event": "started \"process\" 231", "pid": -1, "restarts": 3 },
              { "id": "", "state": "SERVICE_STATE_UNSPECIFIED", "health": "SERVICE_HEALTH_UNKNOWN", "last_change": null, "last_event": "", "pid": 0, "restarts": 0 } ] }
            """);
        Assert.True(JsonNode.DeepEquals(expected, tree), tree.ToJsonString());
    }

    /// <summary>The parts of the format that no answer of ours uses together: maps, optional fields, nested messages, bytes.</summary>
    [Fact]
    public void Accepts_maps_optional_fields_and_bytes()
    {
        var entry = new Entry { Schema = 1, OpenedIndex = 0, WallTimeUnixNanos = long.MaxValue, BootId = ByteString.CopyFrom(1, 2), Caller = new Caller { Name = "a", Roles = { "os:admin", "os:reader" } } };
        entry.Details["b"] = "2";
        entry.Details["a"] = "1";
        var tree = MessageTree.From(entry);
        Assert.Equal(0UL, (ulong)tree["opened_index"]!);
        Assert.Null(MessageTree.From(new Entry())["opened_index"]);
        Assert.Equal(long.MaxValue, (long)tree["wall_time_unix_nanos"]!);
        Assert.Equal("AQI=", (string?)tree["boot_id"]);
        Assert.Equal(["os:admin", "os:reader"], tree["caller"]!["roles"]!.AsArray().Select(r => (string?)r));
        Assert.Equal("1", (string?)tree["details"]!["a"]);
        Assert.Equal("2", (string?)tree["details"]!["b"]);
    }

    [Fact]
    public void Accepts_a_tree_as_YAML()
    {
        var writer = new StringWriter();
        TreeWriter.Write(writer, JsonNode.Parse("""[{"node":"cp-1","count":1,"list":[1,[2]],"empty":[],"none":null,"map":{"a b":"x: y","t":"true","s":"multi\nline"}},{}]""")!, OutputFormat.Yaml);
        Assert.Equal("""
            - node: cp-1
              count: 1
              list:
              - 1
              - - 2
              empty: []
              none: null
              map:
                a b: "x: y"
                t: "true"
                s: "multi\nline"
            - {}

            """, writer.ToString());
    }

    [Fact]
    public void Accepts_columns_that_line_up_and_hides_those_for_wide_output()
    {
        Assert.Equal("NODE       ID\ncp-1       osd\nworker-1   -\n", Print(wide: false));
        Assert.Equal("NODE       ID    PID\ncp-1       osd   12\nworker-1   -     0\n", Print(wide: true));

        static string Print(bool wide)
        {
            var table = new Table(wide, "NODE", "ID", "+PID");
            table.Add("cp-1", "osd", "12");
            table.Add("worker-1", "", "0");
            var writer = new StringWriter();
            table.Write(writer);
            return writer.ToString();
        }
    }

    [Fact]
    public void Rejects_control_characters_from_a_node()
    {
        var table = new Table(false, "A");
        table.Add("\u001b[31mred\r\n");
        var writer = new StringWriter();
        table.Write(writer);
        Assert.Equal("A\n [31mred\n", writer.ToString());
    }

    [Theory]
    [InlineData(0x41EDu, "drwxr-xr-x")]
    [InlineData(0x81A4u, "-rw-r--r--")]
    [InlineData(0xA1FFu, "lrwxrwxrwx")]
    [InlineData(0x89EDu, "-rwsr-xr-x")]
    [InlineData(0x43FFu, "drwxrwxrwt")]
    [InlineData(0x21B6u, "crw-rw-rw-")]
    public void Accepts_modes_as_ls_writes_them(uint mode, string text) => Assert.Equal(text, Text.Mode(mode));

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("1d12h", 129_600)]
    [InlineData("1h1m1s", 3661)]
    public void Accepts_times_as_people_write_them(string text, int seconds)
    {
        Assert.True(DurationText.TryParse(text, out var value));
        Assert.Equal(seconds, value.TotalSeconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0s")]
    [InlineData("5")]
    [InlineData("h")]
    [InlineData("5 m")]
    [InlineData("-5m")]
    [InlineData("5y")]
    [InlineData("99999999999s")]
    [InlineData("2000000000d2000000000d")]
    public void Rejects_what_is_no_time(string text) => Assert.False(DurationText.TryParse(text, out _));
}
