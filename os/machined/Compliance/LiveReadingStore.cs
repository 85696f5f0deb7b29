using System.Text.Json;
using Google.Protobuf;
using Talos.Api.Compliance.V1;
using Talos.Checks;
using Talos.Linux.Files;
using Talos.Linux.Processes;

namespace Talos.Machined.Compliance;

/// <summary>
/// The files of a live reading. One that cannot be read is as good as none, and the journal says so: the reading goes on. For machined's own
/// user alone.
/// </summary>
static class LiveReadingStore
{
    // LIMIT: a thousand facts of a hundred bytes; a history of 200 scans of a hundred bytes.
    const int MaxBytes = 1 << 20;

    internal static NodeBaseline? ReadBaseline(string? path) => Read(path, bytes =>
    {
        using var json = JsonDocument.Parse(bytes);
        var facts = json.RootElement.GetProperty("facts").EnumerateArray()
            .Select(f => new WatchedFact((Checks.DriftKind)f.GetProperty("kind").GetInt32(), f.GetProperty("subject").GetString()!, f.GetProperty("value").GetString()!));
        return new NodeBaseline(json.RootElement.GetProperty("since").GetDateTimeOffset(), [.. facts]);
    });

    internal static void WriteBaseline(string? path, NodeBaseline baseline)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("since", baseline.Since);
            json.WriteStartArray("facts");
            foreach (var fact in baseline.Facts)
            {
                json.WriteStartObject();
                json.WriteNumber("kind", (int)fact.Kind);
                json.WriteString("subject", fact.Subject);
                json.WriteString("value", fact.Value);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        Write(path, buffer.ToArray());
    }

    internal static IReadOnlyList<HistoryEntry> ReadHistory(string? path) =>
        Read(path, bytes => HistoryResponse.Parser.ParseFrom(bytes).Scans.Select(ComplianceMessages.Read).ToArray()) ?? [];

    internal static void WriteHistory(string? path, IReadOnlyList<HistoryEntry> history) =>
        Write(path, new HistoryResponse { Scans = { history.Select(ComplianceMessages.Describe) } }.ToByteArray());

    static T? Read<T>(string? path, Func<byte[], T> parse) where T : class
    {
        if (path is null || !File.Exists(path)) return null;
        try
        {
            if (new FileInfo(path).Length > MaxBytes) throw new InvalidDataException($"it is longer than {MaxBytes} bytes");
            return parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException or InvalidDataException or InvalidProtocolBufferException)
        {
            Journal.Write($"compliance: `{path}` cannot be used: {e.Message}");
            return null;
        }
    }

    static void Write(string? path, byte[] content)
    {
        if (path is null) return;
        try
        {
            FileOwner.WriteFile(path, content, SocketPeer.OwnUser, SocketPeer.OwnGroup, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Journal.Write($"compliance: `{path}` cannot be written: {e.Message}");
        }
    }
}
