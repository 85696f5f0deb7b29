using Talos.Fuzz;

// One line a verb; each verb is a file of its own.
return args switch
{
    ["audit-kill", .. string[] rest] => AuditKill.Run(rest),
    ["audit-kill-child", .. string[] rest] => await AuditKill.Child(rest),
    ["audit-tamper", .. string[] rest] => AuditTamper.Run(rest),
    ["checks", .. string[] rest] => ChecksFuzz.Run(rest),
    ["pki", .. string[] rest] => PkiFuzz.Run(rest),
    ["policy", .. string[] rest] => PolicyFuzzVerb.Run(rest),
    ["trustd-kill", .. string[] rest] => await TrustdKill.Run(rest),
    ["trustd-kill-child", .. string[] rest] => await TrustdKill.Child(rest),
    ["trustd-migrate", .. string[] rest] => await TrustdMigrate.Run(rest),
    ["trustd-migrate-child", .. string[] rest] => await TrustdMigrate.Child(rest),
    ["yaml", .. string[] rest] => YamlFuzz.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project tests/Fuzz -- VERB …");
    Console.Error.WriteLine("  audit-kill [ROUNDS [DIRECTORY]]   SIGKILL while appending and exporting; nothing acknowledged may be missing");
    Console.Error.WriteLine("  audit-tamper [CASES [FROM]]   ways of tampering with the record, at random; all must be found and named");
    Console.Error.WriteLine("  checks [CASES [SEED]]         damaged catalogues, waivers, kernel files and trees; each must give a value, errors or Unknown");
    Console.Error.WriteLine("  pki [CASES [SEED]]            damaged certificates, requests and revocation lists; none may be believed");
    Console.Error.WriteLine("  policy [CASES [SEED]]         mutated modules; each must give a result or errors");
    Console.Error.WriteLine("  trustd-kill [ROUNDS [DIRECTORY]] SIGKILL while issuing, revoking and changing the CA; nothing acknowledged may be missing");
    Console.Error.WriteLine("  trustd-migrate [ENTRIES [KILLS [DIRECTORY]]] SIGKILL while an older ledger is brought to the newest layout; nothing of it may be missing");
    Console.Error.WriteLine("  yaml [CASES [SEED]]           damaged policy data and configurations; each must give a value or errors");
    return 2;
}
