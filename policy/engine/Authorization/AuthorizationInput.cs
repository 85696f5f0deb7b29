namespace Talos.Policy;

/// <summary>What a decision may depend on. Rules see it as the Rego document <c>input</c>.</summary>
public sealed record AuthorizationInput
{
    public required AuthorizationCaller Caller { get; init; }

    /// <summary>The full gRPC name, <c>/talos.machine.v1.MachineService/Reboot</c>.</summary>
    public required string Method { get; init; }

    /// <summary>
    /// How old the node's knowledge of revocations is; null when it has none. Rules see <c>input.node.revocations</c> as <c>current</c>, <c>old</c> (older
    /// than <c>data.talos.authz.revocations_old_after</c>) or <c>unknown</c>, and <c>input.node.revocation_age</c> in nanoseconds.
    /// </summary>
    public required TimeSpan? RevocationAge { get; init; }

    public AuthorizationNode Node { get; init; } = AuthorizationNode.Unknown;

    /// <summary>
    /// The request's fields as a JSON object, by their proto names. Called at most once a decision, and only when a rule
    /// reads <c>input.request</c>; without it <c>input.request</c> is undefined.
    /// </summary>
    public Func<string>? Request { get; init; }

    /// <summary>The moment of the call; rules see nanoseconds since 1970 as <c>input.time</c>, and <c>time.now_ns()</c> gives the same.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Approvals that were checked to belong to exactly this request and to be unused.</summary>
    public IReadOnlyList<Approval> Approvals { get; init; } = [];
}

/// <summary>Who calls. An anonymous caller is explicit: it has neither name nor roles.</summary>
public sealed class AuthorizationCaller
{
    readonly string[] _roles;

    AuthorizationCaller(string name, string[] roles)
    {
        Name = name;
        _roles = roles;
    }

    /// <summary>A caller without a certificate.</summary>
    public static AuthorizationCaller Anonymous(string sourceIp, IReadOnlyList<string>? forwardedBy = null) => new("", []) { SourceIp = sourceIp, ForwardedBy = forwardedBy ?? [] };

    /// <summary>A caller whose certificate was verified.</summary>
    /// <exception cref="ArgumentException">The name is empty: a certificate without a name is refused before policy is asked.</exception>
    public static AuthorizationCaller Named(
        string name, IEnumerable<string> roles, string serial, string spiffe, DateTimeOffset issuedAt, DateTimeOffset expiresAt, string sourceIp,
        IReadOnlyList<string>? forwardedBy = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new(name, [.. roles]) { Serial = serial, Spiffe = spiffe, IssuedAt = issuedAt, ExpiresAt = expiresAt, SourceIp = sourceIp, ForwardedBy = forwardedBy ?? [] };
    }

    public string Name { get; }
    public IReadOnlyList<string> Roles => _roles;
    public string Serial { get; private init; } = "";
    public string Spiffe { get; private init; } = "";
    public DateTimeOffset IssuedAt { get; private init; }
    public DateTimeOffset ExpiresAt { get; private init; }
    public string SourceIp { get; private init; } = "";

    /// <summary>The nodes that carried the connection, first hop first; what <see cref="SourceIp"/> says is on the last one's word. Empty when it came by itself.</summary>
    public IReadOnlyList<string> ForwardedBy { get; private init; } = [];

    public bool IsAnonymous => Name.Length == 0;

    internal ReadOnlySpan<string> RoleSpan => _roles;

    internal Value RolesValue => field ??= new ArrayValue([.. _roles.Select(Value.From)]);
}

/// <summary>The node that the call is for.</summary>
public sealed record AuthorizationNode
{
    // Before `Unknown`, which takes it when the class is initialised.
    static readonly IReadOnlyDictionary<string, string> EmptyMap = new Dictionary<string, string>();

    public static AuthorizationNode Unknown { get; } = new();

    public string Name { get; init; } = "";

    /// <summary><c>controlplane</c> or <c>worker</c>; empty when not known.</summary>
    public string Role { get; init; } = "";

    public IReadOnlyDictionary<string, string> Labels { get; init; } = EmptyMap;

    public AttestationState Attested { get; init; }

    /// <summary>What the node's live reading says of it now.</summary>
    public NodeCompliance Compliance { get; init; } = NodeCompliance.Unknown;
}

/// <summary>What attestation says of a node. Rules see <c>attested</c> true for <see cref="Verified"/> only, and <c>attestation</c> as a word.</summary>
public enum AttestationState
{
    Unknown = 0,
    Failed,
    Verified,
}

/// <summary>Another person's consent to one request.</summary>
public sealed record Approval(string Id, string By, IReadOnlyList<string> Roles, DateTimeOffset At, DateTimeOffset ExpiresAt);
