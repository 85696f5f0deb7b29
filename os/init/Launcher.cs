using Talos.Linux;
using Talos.Linux.Confinement;

namespace Talos.Init;

/// <summary>The stage between init and a service, in the child: confines itself as the table says and executes the service.</summary>
static class Launcher
{
    internal const string Argument = "launch";

    internal static int Run(string id)
    {
        if (ServiceTable.Find(id) is not { } service)
        {
            Console.Error.WriteLine($"launch: unknown service `{id}`");
            return 2;
        }
        try
        {
            ConfinedStart.Execute(service.Start, service.Confinement);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"launch: {e.Message}");
        }
        // Reached only when a step failed.
        return 1;
    }
}
