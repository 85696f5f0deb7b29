using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Talos.Policy;

/// <summary>One mistake in a bundle. Line and column count from 1 (column in UTF-8 bytes, as OPA counts); 0 when the file has no position.</summary>
public sealed record PolicyError(string Code, string File, int Line, int Column, string Message, string? Hint = null)
{
    /// <summary>A document that is no JSON, with the place and what the reader did not expect there.</summary>
    internal static PolicyError OfJson(string file, JsonException e)
    {
        // The platform's sentence goes on with the place, and says an early end in words of its own.
        string why = e.Message.Split(". ")[0].Split(" LineNumber:")[0].TrimEnd('.');
        if (why.Contains("depth to be zero", StringComparison.Ordinal) || why.Contains("reached end of data", StringComparison.Ordinal)) why = "the text ends before the document does";
        return new("bundle_error", file, (int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1, $"not valid JSON: {char.ToLowerInvariant(why[0])}{why[1..]}", "JSON as RFC 8259 has it: no comments, no comma behind the last member");
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        if (File.Length > 0)
        {
            text.Append(File);
            if (Line > 0) text.Append(CultureInfo.InvariantCulture, $":{Line}:{Column}");
            text.Append(": ");
        }
        text.Append(Code).Append(": ").Append(Message);
        if (Hint is not null) text.Append("\n  hint: ").Append(Hint);
        return text.ToString();
    }
}

/// <summary>A bundle was refused. Nothing of it was activated.</summary>
public sealed class PolicyException : Exception
{
    public PolicyException(IReadOnlyList<PolicyError> errors) : base(string.Join('\n', errors)) => Errors = errors;

    internal PolicyException(string code, string file, string message, string? hint = null)
        : this([new PolicyError(code, file, 0, 0, message, hint)])
    {
    }

    internal static PolicyException MissingMethods(IReadOnlyList<string> methods) => new(
        [.. methods.Select(m => new PolicyError("missing_rule", "", 0, 0, $"no rule names the method `{m}`",
            "add it to data.talos.authz.methods; a server does not start with a method that no rule names"))])
    { Methods = methods };

    internal static PolicyException MissingWays(IReadOnlyList<string> ways) => new(
        [.. ways.Select(w => new PolicyError("missing_rule", "", 0, 0, $"no rule names the way `{w}` to a certificate",
            "add it to data.talos.issuance.ways; trustd does not start with a way that no rule names"))]);

    public IReadOnlyList<PolicyError> Errors { get; }

    /// <summary>The server's methods that the bundle has no rule for.</summary>
    public IReadOnlyList<string> Methods { get; private init; } = [];
}
