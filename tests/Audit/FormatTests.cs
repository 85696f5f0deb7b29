using System.Text.Json;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Talos.Audit.Tests;

public sealed partial class FormatTests
{
    static AuditRecord Record(Entry entry, ulong index = 7)
    {
        EntryEncoding.Prepare(entry);
        entry.WallTimeUnixNanos = 1_800_000_000_123_456_700;
        entry.MonotonicNanos = 5;
        entry.Node = "node-1";
        entry.BootId = ByteString.CopyFrom(Enumerable.Range(1, 16).Select(static i => (byte)i).ToArray());
        Assert.True(AuditRecord.TryParse(index, entry.ToByteArray(), out AuditRecord? record, out string error), error);
        return record;
    }

    static Entry OfKind(EntryKind kind)
    {
        Entry entry = new()
        {
            Kind = kind,
            Method = "/talos.machine.v1.MachineService/Reboot",
            Caller = new Caller { Name = "eve \"the\" ]|=\\ \n x", Roles = { "os:reader" }, Serial = "0a", SpiffeUri = "spiffe://c/user/eve", SourceAddress = "[2001:db8::1]:99" },
            Decision = new Decision { Effect = Effect.Deny, Rule = "reboot", ReasonId = "role-missing", Reason = "needs os:operator" },
            Outcome = new Outcome { Status = "PERMISSION_DENIED", DurationNanos = 2_000_000 },
            Fields = { new LoggedField { Path = "token", Masked = true } },
            Details = { ["check"] = "kspp.1", ["verdict"] = "fail", ["subject"] = "node-2" },
        };
        if (kind == EntryKind.CallClosed) entry.OpenedIndex = 3;
        return entry;
    }

    public static TheoryData<EntryKind> Kinds => [.. Enum.GetValues<EntryKind>().Where(static k => k != EntryKind.Unspecified)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Accepts_only_OCSF_events_with_the_required_attributes(EntryKind kind)
    {
        using JsonDocument required = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(MerkleVectorTests.Repository(), "tests/vectors/audit/ocsf/required.json")));
        foreach (bool full in (bool[])[true, false])
        {
            Entry entry = full ? OfKind(kind) : new Entry { Kind = kind };
            if (kind == EntryKind.CallClosed) entry.OpenedIndex = 3;
            using JsonDocument ocsf = JsonDocument.Parse(AuditFormats.Render(AuditFormat.Ocsf, Record(entry)));
            int type = ocsf.RootElement.GetProperty("class_uid").GetInt32();
            Assert.Equal((type * 100) + ocsf.RootElement.GetProperty("activity_id").GetInt32(), ocsf.RootElement.GetProperty("type_uid").GetInt32());
            if (type != 0) Assert.Equal(type / 1000, ocsf.RootElement.GetProperty("category_uid").GetInt32());
            foreach (string group in new[] { "0", type.ToString(System.Globalization.CultureInfo.InvariantCulture) }.Distinct())
                foreach (JsonElement path in required.RootElement.GetProperty(group).EnumerateArray())
                    Assert.True(path.GetString()!.Split('|').Any(p => Has(ocsf.RootElement, p)), $"{kind}: `{path}` is missing in {ocsf.RootElement}");
        }
    }

    static bool Has(JsonElement element, string path)
    {
        foreach (string part in path.Split('.'))
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(part, out element)) return false;
        return element.ValueKind != JsonValueKind.Null && element.ToString().Length != 0;
    }

    [Theory]
    [InlineData(EntryKind.CallClosed, 6003)]
    [InlineData(EntryKind.HandshakeFailed, 3002)]
    [InlineData(EntryKind.CertificateRevoked, 3001)]
    [InlineData(EntryKind.Compliance, 2003)]
    public void Accepts_each_kind_in_its_OCSF_class(EntryKind kind, int type)
    {
        using JsonDocument ocsf = JsonDocument.Parse(AuditFormats.Render(AuditFormat.Ocsf, Record(OfKind(kind))));
        Assert.Equal(type, ocsf.RootElement.GetProperty("class_uid").GetInt32());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Accepts_syslog_messages_in_the_grammar_of_RFC_5424(EntryKind kind)
    {
        string message = AuditFormats.Render(AuditFormat.Syslog, Record(OfKind(kind)));
        Match match = Rfc5424().Match(message);
        Assert.True(match.Success, message);
        Assert.Equal(13, int.Parse(match.Groups["pri"].Value, System.Globalization.CultureInfo.InvariantCulture) / 8);
        JsonDocument.Parse(match.Groups["msg"].Value).Dispose();
    }

    [Fact]
    public void Accepts_CEF_with_everything_escaped()
    {
        string cef = AuditFormats.Render(AuditFormat.Cef, Record(OfKind(EntryKind.CallClosed)));
        Assert.DoesNotContain('\n', cef);
        string[] header = new Regex(@"(?<!\\)(?:\\\\)*\|").Split(cef, 8);
        Assert.Equal(8, header.Length);
        Assert.Equal(["CEF:0", "Talos", "Talos", "1", "call-closed"], header[..5]);
        Assert.Contains(@"suser=eve ""the"" ]|\=\\ \n x ", cef, StringComparison.Ordinal);
        Assert.Contains(" src=2001:db8::1 spt=99 ", cef, StringComparison.Ordinal);
    }

    [Fact]
    public void Accepts_JSON_that_never_shows_a_masked_value()
    {
        using JsonDocument json = JsonDocument.Parse(AuditEntryJson.ToJson(Record(OfKind(EntryKind.CallClosed))));
        Assert.Equal("2027-01-15T08:00:00.1234567Z", json.RootElement.GetProperty("time").GetString());
        Assert.Equal("01020304-0506-0708-090a-0b0c0d0e0f10", json.RootElement.GetProperty("bootId").GetString());
        Assert.False(json.RootElement.GetProperty("fields")[0].TryGetProperty("value", out _));
        Assert.Equal("deny", json.RootElement.GetProperty("decision").GetProperty("effect").GetString());
    }

    [Theory]
    [InlineData(true, "caller=eve*")]
    [InlineData(true, "method=Reboot")]
    [InlineData(true, "method=/talos.machine.*")]
    [InlineData(false, "method=Boot*")]
    [InlineData(true, "kind=call-closed,call-opened", "decision=deny")]
    [InlineData(false, "decision=allow")]
    [InlineData(true, "source=2001:db8::1", "role=os:reader", "status=PERMISSION_DENIED")]
    [InlineData(true, "since=2h", "until=2027-01-15T08:00:01Z")]
    [InlineData(false, "until=2027-01-15")]
    [InlineData(false, "since=1s")]
    public void Accepts_the_entries_that_a_filter_asks_for(bool matches, params string[] terms)
    {
        FakeTimeProvider time = new(DateTimeOffset.UnixEpoch.AddSeconds(1_800_003_600));
        Assert.True(AuditFilter.TryParse(terms, time, out AuditFilter? filter, out string error), error);
        Entry entry = OfKind(EntryKind.CallClosed);
        entry.Caller.SourceAddress = "2001:db8::1:99";
        Assert.Equal(matches, filter.Matches(Record(entry)));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("colour=blue")]
    [InlineData("kind=party")]
    [InlineData("decision=perhaps")]
    [InlineData("since=yesterday")]
    [InlineData("caller=")]
    public void Rejects_filters_that_say_nothing(string term)
    {
        Assert.False(AuditFilter.TryParse([term], TimeProvider.System, out _, out string error));
        Assert.NotEmpty(error);
    }

    // RFC 5424 §6: PRI VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP STRUCTURED-DATA SP MSG.
    [GeneratedRegex(@"^<(?<pri>[0-9]{1,3})>1 [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{1,6}Z [!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32} \[[!-<>-\\^-~]{1,32}( [!-<>-~]{1,32}=""([^""\\\]]|\\[""\\\]])*"")*\] (?<msg>.*)$", RegexOptions.Singleline)]
    private static partial Regex Rfc5424();
}
