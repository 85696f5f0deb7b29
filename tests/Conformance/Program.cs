using Talos.Conformance;

// One line a verb; each verb is a file of its own and prints `N passed, N failed` last.
return args switch
{
    ["rego", .. string[] rest] => Rego.Run(rest),
    ["merkle", .. string[] rest] => Merkle.Run(rest),
    ["limbo", .. string[] rest] => Limbo.Run(rest),
    ["pkits", .. string[] rest] => Pkits.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project tests/Conformance -- VERB DIR [--list-failing]");
    Console.Error.WriteLine("  rego DIR    folders of OPA conformance cases");
    Console.Error.WriteLine("  merkle DIR  folders of Merkle proof cases");
    Console.Error.WriteLine("  limbo FILE  x509-limbo: certificate paths to accept or refuse");
    Console.Error.WriteLine("  pkits DIR   NIST PKITS: paths, policies, name constraints, revocation lists");
    return 2;
}
