using System.Net.Mail;

namespace Talos.Policy;

/// <summary>The values of <c>format</c> in a JSON Schema, as the library that OPA uses checks them; others are not checked.</summary>
static class SchemaFormats
{
    static readonly string[] Times = ["15:04:05", "15:04:05Z07:00"];
    static readonly string[] DateTimes = ["15:04:05", "15:04:05Z07:00", "2006-01-02", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.999999999Z07:00"];

    // RFC 1123 §2.1, RFC 9562 §4, RFC 6901 §3.
    const string HostName = @"^([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])(\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]{0,61}[a-zA-Z0-9]))*$";
    const string Uuid = "^(?i)[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$";
    const string Pointer = "^(?:/(?:[^~/]|~0|~1)*)*$";
    const string RelativePointer = "^(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~0|~1)*)*)$";
    const string Template = "^([^{]*({[^}]*})?)*$";

    public static bool Has(string format, string text) => format switch
    {
        "date" => IsTime(text, "2006-01-02"),
        "time" => IsTime(text, Times),
        "date-time" => IsTime(text, DateTimes),
        "hostname" => text.Length < 256 && Matches(HostName, text),
        "email" or "idn-email" => MailAddress.TryCreate(text, out _),
        "ipv4" => GoAddress.Parse(text) is not null && text.Contains('.', StringComparison.Ordinal),
        "ipv6" => GoAddress.Parse(text) is not null && text.Contains(':', StringComparison.Ordinal),
        "uri" or "iri" => GoUrl.TryParse(text) is { Scheme.Length: > 0 } && NoBackslash(text),
        "uri-reference" or "iri-reference" => GoUrl.IsValid(text) && NoBackslash(text),
        "uri-template" => GoUrl.TryParse(text) is { } template && NoBackslash(text) && Matches(Template, template.Path),
        "uuid" => Matches(Uuid, text),
        "regex" => IsRegex(text),
        "json-pointer" => Matches(Pointer, text),
        "relative-json-pointer" => Matches(RelativePointer, text),
        _ => true,
    };

    static bool Matches(string pattern, string text) => GoRegex.Parse(pattern).IsMatch(text);

    static bool NoBackslash(string text) => !text.Contains('\\', StringComparison.Ordinal);

    static bool IsTime(string text, params ReadOnlySpan<string> layouts)
    {
        foreach (string layout in layouts)
        {
            try
            {
                GoTime.Parse(layout, text);
                return true;
            }
            catch (BuiltinException)
            {
                continue; // not in this form
            }
        }
        return false;
    }

    static bool IsRegex(string text)
    {
        try
        {
            GoRegex.Parse(text);
            return true;
        }
        catch (BuiltinException)
        {
            return false; // the answer to the question
        }
    }
}
