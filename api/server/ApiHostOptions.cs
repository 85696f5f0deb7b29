using System.Net;
using Microsoft.Extensions.Logging;
using Talos.Audit;
using Talos.Policy;

namespace Talos.Api.Server;

/// <summary>What an <see cref="ApiHost"/> is made of.</summary>
public sealed class ApiHostOptions
{
    /// <summary>Where to listen; port 0 takes a free one, see <see cref="ApiHost.Endpoint"/>.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>Certificate and roots. May be empty at start; handshakes fail until it is set.</summary>
    public required TrustSlot Trust { get; init; }

    public required NodeDescription Node { get; init; }

    public ClientCertificates ClientCertificates { get; init; }

    /// <summary>Required unless <see cref="Maintenance"/> is set.</summary>
    public PolicyInForce? Policy { get; init; }

    /// <summary>Requests that wait for a second person; shared with the <see cref="ApprovalDesk"/>. Null keeps a book that nobody can approve in.</summary>
    public ApprovalBook? Approvals { get; init; }

    /// <summary>Required unless <see cref="Maintenance"/> is set. The host does not dispose it.</summary>
    public AuditLog? Audit { get; init; }

    public RevocationView Revocations { get; init; } = new();

    /// <summary>Where connections that other nodes carry come in; null on a server that takes none.</summary>
    public RelayDoor? Relay { get; init; }

    /// <summary>Set on a node that has no usable configuration: then only the open methods answer, to anyone, and nothing else does.</summary>
    public MaintenanceMode? Maintenance { get; init; }

    public ApiLimits Limits { get; init; } = new();

    /// <summary>
    /// Is told of each request beyond <see cref="ApiLimits.RequestBytes"/>, which no method gets to see, before its caller is answered. May throw another
    /// <see cref="RefusalException"/>, which is then the answer.
    /// </summary>
    public Func<ServedCall, RefusalException, Task>? TooLarge { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where lines for the operator go; null writes them to standard error.</summary>
    public ILoggerProvider? Log { get; init; }
}

/// <summary>Why a node serves next to nothing, and what it still serves.</summary>
/// <param name="Reason">One sentence with position and hint, as callers get it.</param>
/// <param name="OpenMethods">Full gRPC names. They must tell nothing that a stranger may not know.</param>
public sealed record MaintenanceMode(string Reason, IReadOnlySet<string> OpenMethods);
