using System.Net;
using Talos.Api.Configuration;
using Talos.Api.Machine.V1;

namespace Talos.Machined.Boot;

/// <summary>Where things lie that osd and trustd are told of.</summary>
sealed record ServicePaths(string StateDirectory, string MachinedSocket, string PolicyDirectory, Endpoint OsdListen, Endpoint TrustdListen)
{
    /// <summary>Of a node.</summary>
    internal static ServicePaths Node { get; } = new(
        StateFileSystem.Root, "/run/talos/machined.sock", "/etc/talos/policy", new Endpoint("0.0.0.0", 50000), new Endpoint("0.0.0.0", 50001));
}

/// <summary>The two documents that machined makes out of a machine configuration.</summary>
/// <param name="Trustd">Null on machines without trustd.</param>
sealed record ServiceFiles(OsdConfiguration Osd, TrustdConfiguration? Trustd)
{
    /// <summary>
    /// How long the token holds by which this machine's own osd gets its first certificate; as long as a certificate itself, since
    /// an osd whose certificate ran out needs it again.
    /// </summary>
    static readonly TimeSpan LocalTokenLife = TimeSpan.FromHours(24);
    // LIMIT: starts of osd without a certificate within that time.
    const uint LocalTokenUses = 16;

    internal static ServiceFiles Render(MachineConfiguration machine, ServicePaths paths, IReadOnlyList<IPAddress> addresses, DateTimeOffset now)
    {
        var names = Names(machine, addresses);
        if (machine.Machine.Type != MachineType.Controlplane)
            return new ServiceFiles(ForOsd(machine, paths, names, machine.Trust.Endpoints, machine.Trust.Token, machine.Trust.CaPem), null);
        var token = TokenSecret.Generate();
        var hostNames = names.Where(name => !IPAddress.TryParse(name, out _)).ToList();
        var networks = names.Select(name => IPAddress.TryParse(name, out var address) ? address : null).OfType<IPAddress>().Select(Only).ToList();
        // trustd is asked by osd over the loopback, on every machine by the same address.
        List<string> trustdNames = [.. names.Append("127.0.0.1").Distinct()];
        var trustd = new TrustdConfiguration
        {
            Cluster = machine.Cluster,
            Node = machine.Machine.HostName,
            Listen = paths.TrustdListen,
            State = Path.Combine(paths.StateDirectory, "trustd"),
            Policy = paths.PolicyDirectory,
            PolicyRules = machine.Policy,
            Labels = machine.Machine.Labels,
            Names = trustdNames,
            // The nodes that trust this trustd look after its record.
            Audit = new AuditSection { MaxAge = machine.Audit.MaxAge, MaxBytes = machine.Audit.MaxBytes, Exporters = machine.Audit.Exporters },
            Login = machine.Trust.Login,
            RevocationLists = machine.Trust.RevocationLists,
            Limits = machine.Trust.Limits ?? new RateLimitSection(),
            Bootstrap = [.. machine.Trust.Bootstrap, BootstrapToken.ForNode(token, hostNames, networks, now + LocalTokenLife, LocalTokenUses)],
        };
        return new ServiceFiles(ForOsd(machine, paths, names, [new Endpoint("127.0.0.1", paths.TrustdListen.Port)], token), trustd);
    }

    /// <summary>For a node that nobody has told what it is: it answers one question, why.</summary>
    internal static OsdConfiguration Maintenance(string reason, string hostName, ServicePaths paths) => new()
    {
        Cluster = "maintenance",
        Node = hostName,
        Role = MachineType.Unspecified,
        Listen = paths.OsdListen,
        State = Path.Combine(paths.StateDirectory, "osd"),
        Machined = paths.MachinedSocket,
        Policy = paths.PolicyDirectory,
        Maintenance = reason,
    };

    static OsdConfiguration ForOsd(
        MachineConfiguration machine, ServicePaths paths, IReadOnlyList<string> names, IReadOnlyList<Endpoint> trust, TokenSecret? token, string? ca = null) => new()
        {
            Cluster = machine.Cluster,
            Node = machine.Machine.HostName,
            Role = machine.Machine.Type,
            Listen = paths.OsdListen,
            State = Path.Combine(paths.StateDirectory, "osd"),
            Machined = paths.MachinedSocket,
            Policy = paths.PolicyDirectory,
            PolicyRules = machine.Policy,
            Labels = machine.Machine.Labels,
            TrustEndpoints = trust,
            Token = token,
            CaBundle = ca,
            Names = names,
            Audit = machine.Audit,
        };

    /// <summary>The host name, the addresses the machine has now, and what the configuration adds.</summary>
    static List<string> Names(MachineConfiguration machine, IReadOnlyList<IPAddress> addresses) =>
        [.. addresses.Select(address => address.ToString()).Prepend(machine.Machine.HostName).Concat(machine.Machine.CertificateNames).Distinct()];

    static IPNetwork Only(IPAddress address) => new(address, address.GetAddressBytes().Length * 8);
}
