using System.Reflection;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Audit;
using Talos.Policy;
using Talos.Trustd.Authority;
using Talos.Trustd.Ledger;

namespace Talos.Trustd;

/// <summary>trustd as a process: arguments and exit codes.</summary>
public static class TrustdProcess
{
    const string Usage =
        """
        trustd: the certificate authority of a cluster's operating systems

        usage: trustd --config FILE
               trustd init --config FILE --csr OUT             make a key and a request, for a root kept elsewhere to sign
               trustd init --config FILE --certificate FILE    take the certificate, followed by what leads to its root, the root last
               trustd init --config FILE --ca-key FILE --ca-cert FILE    take an authority that exists
               trustd --version

        FILE names the cluster, the address to listen on and the folder that keeps the CA, for instance:

          cluster: demo
          node: cp-1
          listen: 127.0.0.1:50001
          state: /var/lib/trustd
          policy: /etc/talos/policy
          sans: [127.0.0.1]
        """;

    /// <summary>Runs until it is told to stop; the result is the exit code.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        switch (arguments)
        {
            case ["--version"]:
                Console.WriteLine(Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion);
                return 0;
            case ["--help" or "-h"]:
                Console.WriteLine(Usage);
                return 0;
            case ["--config", var file]:
                return await GuardAsync(() => ServeAsync(file));
            case ["init", "--config", var file, .. var how]:
                return await GuardAsync(() => InitAsync(file, how));
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }

    static async Task<int> ServeAsync(string file)
    {
        if (await ReadAsync(file) is not { } configuration) return 1;
        await using var server = await TrustdServer.StartAsync(configuration, new LineLog(), TimeProvider.System, CancellationToken.None);
        Console.Error.WriteLine($"trustd: {configuration.Cluster}: listening on {server.Endpoint}");
        await server.WaitAsync();
        return 0;
    }

    static async Task<int> InitAsync(string file, string[] how)
    {
        if (await ReadAsync(file) is not { } configuration) return 1;
        switch (how)
        {
            case ["--csr", var csr]:
                await AuthorityInit.RequestAsync(configuration, csr, TimeProvider.System);
                Console.Error.WriteLine($"trustd: the request is in `{csr}`; have it signed, then: trustd init --config {file} --certificate FILE");
                return 0;
            case ["--certificate", var certificate]:
                return Taken(await AuthorityInit.FinishAsync(configuration, certificate, TimeProvider.System, CancellationToken.None));
            case ["--ca-key", var key, "--ca-cert", var certificate]:
                return Taken(await AuthorityInit.TakeOverAsync(configuration, key, certificate, TimeProvider.System, CancellationToken.None));
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }

        int Taken(Pki.Certificate certificate)
        {
            Console.Error.WriteLine($"trustd: {configuration.Cluster}: the authority is {certificate.Subject}, until {certificate.NotAfter:u}");
            return 0;
        }
    }

    static async Task<TrustdConfiguration?> ReadAsync(string file)
    {
        SQLitePCL.Batteries_V2.Init();
        if (TrustdConfiguration.Parse(await File.ReadAllTextAsync(file), file).TryGet(out var configuration, out var errors)) return configuration;
        Fail(errors, "");
        return null;
    }

    static async Task<int> GuardAsync(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (AuthorityException e) { return Fail(e.Message, e.Hint); }
        catch (LedgerException e) { return Fail(e.Message, e.Hint); }
        catch (PolicyException e) { return Fail(e.Message, "the policy has to be mended before trustd may start"); }
        catch (AuditLogException e) { return Fail(e.Message, "without a record nothing is issued"); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return Fail(e.Message, ""); }
    }

    static int Fail(string sentence, string hint)
    {
        Console.Error.WriteLine($"trustd: {sentence}");
        if (hint.Length > 0) Console.Error.WriteLine($"  hint: {hint}");
        return 1;
    }
}
