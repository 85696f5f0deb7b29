using System.Text.Json;

namespace Talos.Policy;

/// <summary>
/// The document <c>input</c> over an <see cref="AuthorizationInput"/>. Notes whether a rule read anything but method, roles and
/// attestation: an evaluation that read nothing else depends on nothing else.
/// </summary>
/// <param name="knowledge">What the rules in force make of <see cref="AuthorizationInput.RevocationAge"/>.</param>
sealed class InputDocument(AuthorizationInput input, RevocationKnowledge knowledge) : LazyDocument
{
    static readonly Value Verified = From("verified"), Failed = From("failed"), Unknown = From("unknown"), Current = From("current"), Old = From("old");

    Value? _request, _method;
    CallerDocument? _caller;
    NodeDocument? _node;

    /// <summary>True when something was read that differs from call to call.</summary>
    public bool ReadVarying { get; private set; }

    /// <summary>Receives each path that was read, with its value; null when nobody asks.</summary>
    public List<(string Path, Value? Value)>? Reads { get; init; }

    public override Value? Get(Value key) => (key as StringValue)?.Text switch
    {
        "method" => Note("method", _method ??= From(input.Method)),
        "caller" => _caller ??= new CallerDocument(this, input.Caller),
        "node" => _node ??= new NodeDocument(this, input.Node, input.RevocationAge, knowledge),
        "request" => Varying("request", Request()),
        "time" => Varying("time", From(Nanoseconds(input.Time))),
        "approvals" => Varying("approvals", Approvals()),
        _ => null,
    };

    public override Value Force()
    {
        ReadVarying = true;
        var members = new Dictionary<Value, Value>();
        foreach (string name in (string[])["method", "caller", "node", "request", "time", "approvals"])
            if (Get(From(name)) is { } value) members[From(name)] = value is LazyDocument lazy ? lazy.Force() : value;
        return ObjectValue.From(members);
    }

    Value? Note(string path, Value? value)
    {
        Reads?.Add(("input." + path, value));
        return value;
    }

    Value? Varying(string path, Value? value)
    {
        ReadVarying = true;
        return Note(path, value);
    }

    Value? Request()
    {
        if (_request is not null || input.Request is null) return _request;
        try
        {
            return _request = ValueJson.Parse(input.Request());
        }
        catch (JsonException e)
        {
            throw new EvaluationException("input_error", $"the request's fields are not JSON: {e.Message}");
        }
    }

    ArrayValue Approvals() => input.Approvals.Count == 0 ? ArrayValue.Empty : new([.. input.Approvals.Select(a => ObjectValue.From(("id", From(a.Id)), ("by", From(a.By)),
        ("roles", new ArrayValue([.. a.Roles.Select(From)])), ("at", From(Nanoseconds(a.At))), ("expires_at", From(Nanoseconds(a.ExpiresAt)))))]);

    static long Nanoseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;

    static ObjectValue Map(IReadOnlyDictionary<string, string> map) => ObjectValue.From([.. map.Select(p => new KeyValuePair<Value, Value>(From(p.Key), From(p.Value)))]);

    sealed class CallerDocument(InputDocument document, AuthorizationCaller caller) : LazyDocument
    {
        public override Value? Get(Value key) => (key as StringValue)?.Text switch
        {
            "roles" => document.Note("caller.roles", caller.RolesValue),
            "anonymous" => document.Note("caller.anonymous", From(caller.IsAnonymous)),
            "name" => document.Varying("caller.name", From(caller.Name)),
            "serial" => document.Varying("caller.serial", From(caller.Serial)),
            "spiffe" => document.Varying("caller.spiffe", From(caller.Spiffe)),
            "issued_at" => document.Varying("caller.issued_at", From(Nanoseconds(caller.IssuedAt))),
            "expires_at" => document.Varying("caller.expires_at", From(Nanoseconds(caller.ExpiresAt))),
            "source_ip" => document.Varying("caller.source_ip", From(caller.SourceIp)),
            "forwarded_by" => document.Varying("caller.forwarded_by", new ArrayValue([.. caller.ForwardedBy.Select(From)])),
            _ => null,
        };

        public override Value Force() => Whole(this, ["roles", "anonymous", "name", "serial", "spiffe", "issued_at", "expires_at", "source_ip", "forwarded_by"]);
    }

    sealed class NodeDocument(InputDocument document, AuthorizationNode node, TimeSpan? age, RevocationKnowledge knowledge) : LazyDocument
    {
        public override Value? Get(Value key) => (key as StringValue)?.Text switch
        {
            "attested" => document.Note("node.attested", From(node.Attested == AttestationState.Verified)),
            "attestation" => document.Note("node.attestation", node.Attested switch { AttestationState.Verified => Verified, AttestationState.Failed => Failed, _ => Unknown }),
            "revocations" => document.Note("node.revocations", knowledge switch { RevocationKnowledge.Current => Current, RevocationKnowledge.Old => Old, _ => Unknown }),
            "revocation_age" => age is { } known ? document.Varying("node.revocation_age", From(known.Ticks * 100)) : null,
            "name" => document.Varying("node.name", From(node.Name)),
            "role" => document.Varying("node.role", From(node.Role)),
            "labels" => document.Varying("node.labels", Map(node.Labels)),
            "compliance" => document.Varying("node.compliance", node.Compliance.Document),
            _ => null,
        };

        public override Value Force() => Whole(this, ["attested", "attestation", "revocations", .. age is null ? Array.Empty<string>() : ["revocation_age"], "name", "role", "labels", "compliance"]);
    }

    static ObjectValue Whole(LazyDocument document, string[] names) => ObjectValue.From([.. names.Select(n => new KeyValuePair<Value, Value>(From(n), document.Get(From(n))!))]);
}
