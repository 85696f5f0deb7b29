using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Talos.Osctl.Output;

/// <summary>Writes trees as JSON or as YAML.</summary>
static partial class TreeWriter
{
    // Output goes to a terminal or a file, never into HTML.
    static readonly JsonWriterOptions Pretty = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(TextWriter writer, JsonNode tree, OutputFormat format)
    {
        if (format == OutputFormat.Yaml) writer.Write(Yaml(tree));
        else writer.WriteLine(Json(tree, Pretty));
    }

    /// <summary>One line, for streams.</summary>
    public static void WriteLine(TextWriter writer, JsonNode tree, OutputFormat format)
    {
        if (format == OutputFormat.Yaml) writer.Write("---\n" + Yaml(tree));
        else writer.WriteLine(Json(tree, Compact));
    }

    static string Json(JsonNode tree, JsonWriterOptions options)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, options)) tree.WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    static string Yaml(JsonNode tree)
    {
        var text = new StringBuilder();
        Block(text, tree, 0, afterDash: false);
        return text.ToString();
    }

    static void Block(StringBuilder text, JsonNode? node, int indent, bool afterDash)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } map:
                foreach (var (name, value) in map)
                {
                    if (!afterDash) text.Append(' ', indent);
                    afterDash = false;
                    text.Append(Scalar(name)).Append(':');
                    // A sequence may stand at its name's own indentation, which saves width.
                    if (value is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
                    {
                        text.Append('\n');
                        Block(text, value, value is JsonArray ? indent : indent + 2, afterDash: false);
                    }
                    else
                    {
                        text.Append(' ');
                        Block(text, value, indent, afterDash: false);
                    }
                }
                break;
            case JsonArray { Count: > 0 } list:
                foreach (var item in list)
                {
                    if (!afterDash) text.Append(' ', indent);
                    afterDash = false;
                    text.Append("- ");
                    Block(text, item, indent + 2, afterDash: true);
                }
                break;
            case JsonObject: text.Append("{}\n"); break;
            case JsonArray: text.Append("[]\n"); break;
            case JsonValue value when value.TryGetValue(out string? content): text.Append(Scalar(content)).Append('\n'); break;
            case null: text.Append("null\n"); break;
            default: text.Append(Json(node, Compact)).Append('\n'); break;
        }
    }

    // JSON strings are YAML's double-quoted scalars.
    static string Scalar(string content) =>
        Plain().IsMatch(content) && !Reserved().IsMatch(content) ? content : Json(JsonValue.Create(content), Compact);

    [GeneratedRegex(@"\A[A-Za-z0-9/._](?:[A-Za-z0-9/._+=@() -]*[A-Za-z0-9/._+=@()-])?\z")]
    private static partial Regex Plain();

    [GeneratedRegex(@"\A(?:true|false|null|yes|no|on|off|y|n|~|[-+.]?[0-9][0-9_.:eExXoO+-]*|\.(?:inf|nan))\z", RegexOptions.IgnoreCase)]
    private static partial Regex Reserved();
}
