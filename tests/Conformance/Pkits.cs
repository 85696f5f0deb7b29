using System.Text.Json;
using Talos.Pki;

namespace Talos.Conformance;

/// <summary>Runs NIST's Public Key Interoperability Test Suite: certificates and revocation lists of the year 2010, SHA-256 aside.</summary>
static class Pkits
{
    public static int Run(string[] args)
    {
        if (args is not [var folder, .. string[] flags] || !File.Exists(Path.Combine(folder, "cases.json")))
        {
            Console.Error.WriteLine("usage: pkits DIR [--list-failing]");
            return 2;
        }

        return Run(folder, flags.Contains("--list-failing"), Console.Out) == 0 ? 0 : 1;
    }

    public static int Run(string folder, bool reasons, TextWriter output)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json")));
        JsonElement cases = document.RootElement;
        if (cases.ValueKind == JsonValueKind.Object)
            cases = cases.GetProperty("cases");
        int passed = 0, falseAccepts = 0, falseRejects = 0;
        foreach (JsonElement test in cases.EnumerateArray())
        {
            string name = $"{test.GetProperty("number").GetString()} {test.GetProperty("name").GetString()}";
            bool expected = test.GetProperty("should_validate").GetBoolean();
            (ValidationReason reason, string message) = Judge(folder, test);
            bool accepted = reason == ValidationReason.Valid;
            if (accepted == expected)
            {
                passed++;
                if (reasons && !accepted)
                    output.WriteLine($"refused   {name}: {reason.Id()}: {message}");
                continue;
            }

            _ = accepted ? falseAccepts++ : falseRejects++;
            output.WriteLine($"{(accepted ? "ACCEPTED" : "REFUSED ")}  {name}: {reason.Id()}: {message}");
        }

        if (passed + falseAccepts + falseRejects == 0)
            throw new InvalidDataException("the suite holds no cases");
        output.WriteLine($"{falseAccepts} false accepts, {falseRejects} false rejects");
        output.WriteLine($"{passed} passed, {falseAccepts + falseRejects} failed");
        return falseAccepts + falseRejects;
    }

    static (ValidationReason Reason, string Message) Judge(string folder, JsonElement test)
    {
        string[] names = [.. test.GetProperty("certs").EnumerateArray().Select(c => c.GetString()!)];
        var certificates = new List<Certificate>();
        foreach (string name in names)
        {
            if (!Certificate.Parse(Read(folder, "certs", name, ".crt")).Is(out Certificate? certificate, out PkiFailure? failure))
                return (ValidationReason.MalformedCertificate, $"{name}: {failure}");
            certificates.Add(certificate);
        }

        var lists = new List<CertificateRevocationList>();
        foreach (JsonElement crl in test.GetProperty("crls").EnumerateArray())
        {
            // A list that cannot be read is a list that is not there; every certificate needs one, so this never accepts.
            if (CertificateRevocationList.Parse(Read(folder, "crls", crl.GetString()!, ".crl")).Value is { } list)
                lists.Add(list);
        }

        ValidationResult result = PathValidator.Validate(certificates[^1], certificates[1..^1], TrustStore.Create(certificates[0]), new ValidationOptions
        {
            Time = new DateTimeOffset(2011, 4, 15, 0, 0, 0, TimeSpan.Zero),
            Purpose = ValidationPurpose.Any,
            Policy = ValidationPolicy.Historic,
            Identity = IdentityDemand.NotRequired,
            MaximumIntermediates = 16,
            Crls = CrlStore.Create(CrlDemand.Required, lists),
            InitialPolicies = [.. Policies(test)],
            RequireExplicitPolicy = Flag(test, "SetInitialExplicitPolicy"),
            InhibitPolicyMapping = Flag(test, "SetInitialPolicyMappingInhibit"),
            InhibitAnyPolicy = Flag(test, "SetInitialInhibitAnyPolicy"),
        });
        return (result.Reason, result.ToString());
    }

    static byte[] Read(string folder, string kind, string name, string extension)
    {
        string path = Path.Combine(folder, kind, name);
        return File.ReadAllBytes(File.Exists(path) ? path : path + extension);
    }

    static bool Flag(JsonElement test, string name) => test.TryGetProperty(name, out JsonElement value) && value.GetString() == "true";

    static IEnumerable<string> Policies(JsonElement test)
    {
        if (!test.TryGetProperty("SetInitialPolicySet", out JsonElement set))
            yield break;
        foreach (JsonElement item in set.EnumerateArray())
            foreach (string name in item.GetString()!.Split(',', StringSplitOptions.TrimEntries))
                yield return name switch
                {
                    "anyPolicy" => "2.5.29.32.0",
                    // The suite's policies are arcs of the NIST test object identifier.
                    _ when name.StartsWith("NIST-test-policy-", StringComparison.Ordinal) => $"2.16.840.1.101.3.2.1.48.{name["NIST-test-policy-".Length..]}",
                    _ => throw new InvalidDataException($"`{name}` is no policy of the suite"),
                };
    }
}
