using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Talos.Osctl.Output;

/// <summary>
/// A message as a tree for JSON and YAML: every field by its proto name, defaults included, so that scripts need not know what was left out.
/// Reads the message's own bytes by its descriptor; the reflection that protobuf's formatter uses does not survive ahead-of-time compilation.
/// 64-bit numbers are numbers, times RFC 3339, durations seconds with `s`, bytes base64.
/// </summary>
static class MessageTree
{
    public static JsonObject From(IMessage message) => Read(message.ToByteArray(), message.Descriptor);

    static JsonObject Read(byte[] bytes, MessageDescriptor descriptor)
    {
        var tree = new JsonObject();
        foreach (var field in descriptor.Fields.InFieldNumberOrder()) tree[field.Name] = Default(field);
        var input = new CodedInputStream(bytes);
        while (input.ReadTag() is var tag && tag != 0)
        {
            var field = descriptor.FindFieldByNumber(WireFormat.GetTagFieldNumber(tag));
            if (field is null) { input.SkipLastField(); continue; }
            if (field.IsMap) ReadMapEntry(input.ReadBytes().ToByteArray(), field, tree[field.Name]!.AsObject());
            else if (!field.IsRepeated) tree[field.Name] = Value(input, field);
            else if (IsPacked(tag, field)) ReadPacked(input.ReadBytes().ToByteArray(), field, tree[field.Name]!.AsArray());
            else tree[field.Name]!.AsArray().Add(Value(input, field));
        }
        return tree;
    }

    static bool IsPacked(uint tag, FieldDescriptor field) =>
        WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited && field.FieldType is not (FieldType.String or FieldType.Bytes or FieldType.Message);

    static void ReadPacked(byte[] bytes, FieldDescriptor field, JsonArray values)
    {
        var input = new CodedInputStream(bytes);
        while (!input.IsAtEnd) values.Add(Value(input, field));
    }

    static void ReadMapEntry(byte[] bytes, FieldDescriptor field, JsonObject map)
    {
        var entry = Read(bytes, field.MessageType);
        map[entry["key"]!.ToString()] = entry["value"]?.DeepClone();
    }

    static JsonNode? Default(FieldDescriptor field)
    {
        if (field.IsMap) return new JsonObject();
        if (field.IsRepeated) return new JsonArray();
        if (field.HasPresence) return null;
        return field.FieldType switch
        {
            FieldType.String or FieldType.Bytes => JsonValue.Create(""),
            FieldType.Bool => JsonValue.Create(false),
            FieldType.Enum => JsonValue.Create(EnumName(field, 0)),
            _ => JsonValue.Create(0),
        };
    }

    static JsonNode? Value(CodedInputStream input, FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Double => JsonValue.Create(input.ReadDouble()),
        FieldType.Float => JsonValue.Create(input.ReadFloat()),
        FieldType.Int64 => JsonValue.Create(input.ReadInt64()),
        FieldType.UInt64 => JsonValue.Create(input.ReadUInt64()),
        FieldType.Int32 => JsonValue.Create(input.ReadInt32()),
        FieldType.Fixed64 => JsonValue.Create(input.ReadFixed64()),
        FieldType.Fixed32 => JsonValue.Create(input.ReadFixed32()),
        FieldType.Bool => JsonValue.Create(input.ReadBool()),
        FieldType.String => JsonValue.Create(input.ReadString()),
        FieldType.Bytes => JsonValue.Create(input.ReadBytes().ToBase64()),
        FieldType.UInt32 => JsonValue.Create(input.ReadUInt32()),
        FieldType.SFixed32 => JsonValue.Create(input.ReadSFixed32()),
        FieldType.SFixed64 => JsonValue.Create(input.ReadSFixed64()),
        FieldType.SInt32 => JsonValue.Create(input.ReadSInt32()),
        FieldType.SInt64 => JsonValue.Create(input.ReadSInt64()),
        FieldType.Enum => JsonValue.Create(EnumName(field, input.ReadEnum())),
        FieldType.Message => Message(input.ReadBytes().ToByteArray(), field.MessageType),
        _ => throw new InvalidOperationException($"field {field.FullName} has a type that no message of ours uses"),
    };

    static JsonNode Message(byte[] bytes, MessageDescriptor descriptor)
    {
        if (descriptor.FullName == Timestamp.Descriptor.FullName) return JsonValue.Create(Text.Instant(Timestamp.Parser.ParseFrom(bytes)));
        if (descriptor.FullName == Duration.Descriptor.FullName) return JsonValue.Create(Text.Seconds(Duration.Parser.ParseFrom(bytes)));
        return Read(bytes, descriptor);
    }

    static string EnumName(FieldDescriptor field, int number) =>
        field.EnumType.FindValueByNumber(number)?.Name ?? number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
