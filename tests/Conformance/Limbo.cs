using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Talos.Pki;

namespace Talos.Conformance;

/// <summary>Runs x509-limbo (with BetterTLS): each case is one path to accept or refuse.</summary>
static class Limbo
{
    public static int Run(string[] args)
    {
        if (args is not [var file, .. string[] flags] || !File.Exists(file))
        {
            Console.Error.WriteLine("usage: limbo FILE [--list-failing]");
            return 2;
        }

        return RunFile(file, flags.Contains("--list-failing"), Console.Out, Console.Error);
    }

    /// <summary>The same from a file; one that is no suite is told apart from one that fails, by exit code 2.</summary>
    public static int RunFile(string file, bool reasons, TextWriter output, TextWriter errors)
    {
        try
        {
            using FileStream stream = File.OpenRead(file);
            return Run(stream, reasons, output) == 0 ? 0 : 1;
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            errors.WriteLine($"error: `{file}` is no x509-limbo suite: {e.Message}");
            errors.WriteLine("hint: give the suite itself, limbo.json, or a part of it in the same form");
            return 2;
        }
    }

    /// <summary>Prints every failing case and, last, the count; answers with the number of failures.</summary>
    public static int Run(Stream suite, bool reasons, TextWriter output)
    {
        PublicSuffixes suffixes = PublicSuffixes.Load();
        using JsonDocument document = JsonDocument.Parse(suite);
        int passed = 0, falseAccepts = 0, falseRejects = 0;
        int position = 0;
        foreach (JsonElement test in Cases(document.RootElement).EnumerateArray())
        {
            (string id, bool expected, ValidationReason reason, string message) = Read(test, position++, suffixes);
            bool accepted = reason == ValidationReason.Valid;
            if (accepted == expected)
            {
                passed++;
                if (reasons && !accepted)
                    output.WriteLine($"refused   {id}: {reason.Id()}: {message}");
                continue;
            }

            _ = accepted ? falseAccepts++ : falseRejects++;
            output.WriteLine($"{(accepted ? "ACCEPTED" : "REFUSED ")}  {id}: {reason.Id()}: {message}");
        }

        if (passed + falseAccepts + falseRejects == 0)
            throw new InvalidDataException("the suite holds no cases");
        output.WriteLine($"{falseAccepts} false accepts, {falseRejects} false rejects");
        output.WriteLine($"{passed} passed, {falseAccepts + falseRejects} failed");
        return falseAccepts + falseRejects;
    }

    static JsonElement Cases(JsonElement suite) =>
        suite.ValueKind == JsonValueKind.Object && suite.TryGetProperty("testcases", out JsonElement cases) && cases.ValueKind == JsonValueKind.Array
            ? cases : throw new InvalidDataException("it has no list `testcases`");

    static (string Id, bool Expected, ValidationReason Reason, string Message) Read(JsonElement test, int position, PublicSuffixes suffixes)
    {
        try
        {
            bool expected = test.GetProperty("expected_result").GetString() == "SUCCESS";
            (ValidationReason reason, string message) = Judge(test, suffixes);
            return (test.GetProperty("id").GetString()!, expected, reason, message);
        }
        // What JsonElement throws for a field that is not there, and for one of another type.
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"case {position} has a field missing or of another type: {e.Message}", e);
        }
    }

    static (ValidationReason Reason, string Message) Judge(JsonElement test, PublicSuffixes suffixes)
    {
        if (Pem(test.GetProperty("peer_certificate")).Failure is { } malformed)
            return (ValidationReason.MalformedCertificate, malformed.ToString());
        Certificate leaf = Pem(test.GetProperty("peer_certificate")).Require();
        // What cannot be read cannot be trusted, nor help to build a path.
        TrustStore trust = TrustStore.Create(test.GetProperty("trusted_certs").EnumerateArray().Select(e => Pem(e).Value).OfType<Certificate>());
        Certificate[] intermediates = [.. test.GetProperty("untrusted_intermediates").EnumerateArray().Select(e => Pem(e).Value).OfType<Certificate>()];
        var lists = new List<CertificateRevocationList>();
        if (test.TryGetProperty("crls", out JsonElement crls))
            foreach (JsonElement crl in crls.EnumerateArray())
            {
                if (!CertificateRevocationList.Parse(Encoding.ASCII.GetBytes(crl.GetString()!)).Is(out CertificateRevocationList? list, out PkiFailure? failure))
                    return (ValidationReason.RevocationUnknown, $"a revocation list is malformed: {failure}");
                lists.Add(list);
            }

        var options = new ValidationOptions
        {
            Time = test.GetProperty("validation_time").GetString() is { } time
                ? DateTimeOffset.Parse(time, CultureInfo.InvariantCulture) : TimeProvider.System.GetUtcNow(),
            Purpose = PurposeOf(test),
            Policy = PolicyFor(test),
            Identity = IdentityDemand.NotRequired,
            IsPublicSuffix = suffixes.Contains,
            Crls = lists.Count == 0 ? null : CrlStore.Create(CrlDemand.WhereProvided, lists),
        };
        if (test.GetProperty("max_chain_depth") is { ValueKind: JsonValueKind.Number } depth)
            options = options with { MaximumIntermediates = depth.GetInt32() };
        ImmutableArray<ExpectedName> names = [.. Names(test).Select(Name)];
        foreach (ExpectedName? name in names.DefaultIfEmpty())
        {
            ValidationResult result = PathValidator.Validate(leaf, intermediates, trust, options with { ExpectedName = name });
            if (result.Path is null)
                return (result.Reason, result.ToString());
        }

        return LacksUsage(test, leaf) ? (ValidationReason.KeyUsage, "the case asks for another key usage") : (ValidationReason.Valid, "");
    }

    // Who asks for a purpose of its own asks for that one; a suite may ask for those that TLS knows besides the kind of peer.
    static ValidationPurpose PurposeOf(JsonElement test)
    {
        string[] asked = [.. test.GetProperty("extended_key_usage").EnumerateArray().Select(e => e.GetString()!)];
        if (asked.Contains("emailProtection"))
            return ValidationPurpose.Email;
        if (asked.FirstOrDefault(a => a is not ("clientAuth" or "serverAuth")) is { } other)
            throw new InvalidDataException($"no purpose `{other}` is known here");
        return test.GetProperty("validation_kind").GetString() == "CLIENT" ? ValidationPurpose.Client : ValidationPurpose.Server;
    }

    static bool LacksUsage(JsonElement test, Certificate leaf) =>
        leaf.KeyUsage is { } usage && test.GetProperty("key_usage").EnumerateArray().Any(asked =>
            !Enum.TryParse(asked.GetString() == "cRLSign" ? "CrlSign" : asked.GetString(), ignoreCase: true, out KeyUsages bit) || !usage.HasFlag(bit));

    // The suite's name spaces are the standards that its cases come from; some of the two contradict each other. What is of
    // neither is judged by the stricter.
    static ValidationPolicy PolicyFor(JsonElement test)
    {
        string id = test.GetProperty("id").GetString()!;
        bool internet = id.StartsWith("rfc5280::", StringComparison.Ordinal) || id.StartsWith("pathlen::", StringComparison.Ordinal)
            || id.StartsWith("bettertls::", StringComparison.Ordinal);
        return internet ? ValidationPolicy.Internet : ValidationPolicy.Web;
    }

    static IEnumerable<JsonElement> Names(JsonElement test)
    {
        if (test.TryGetProperty("expected_peer_name", out JsonElement name) && name.ValueKind == JsonValueKind.Object)
            yield return name;
        foreach (JsonElement other in test.GetProperty("expected_peer_names").EnumerateArray())
            yield return other;
    }

    static ExpectedName Name(JsonElement name)
    {
        string value = name.GetProperty("value").GetString()!;
        return name.GetProperty("kind").GetString() switch
        {
            "DNS" => ExpectedName.Dns(value),
            "IP" => ExpectedName.Address(System.Net.IPAddress.Parse(value)),
            "RFC822" => ExpectedName.Email(value),
            var kind => throw new InvalidDataException($"`{kind}` is no kind of name"),
        };
    }

    static Checked<Certificate> Pem(JsonElement text) => Certificate.Parse(Encoding.ASCII.GetBytes(text.GetString()!));
}
