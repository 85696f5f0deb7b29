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
                return await ServeAsync(file);
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }

    static async Task<int> ServeAsync(string file)
    {
        try
        {
            SQLitePCL.Batteries_V2.Init();
            if (!TrustdConfiguration.Parse(await File.ReadAllTextAsync(file), file).TryGet(out var configuration, out var errors)) return Fail(errors, "");
            await using var server = await TrustdServer.StartAsync(configuration, new LineLog(), TimeProvider.System, CancellationToken.None);
            Console.Error.WriteLine($"trustd: {configuration.Cluster}: listening on {server.Endpoint}");
            await server.WaitAsync();
            return 0;
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
