using Talos.Api.Configuration;
using Talos.Pki;

namespace Talos.Osctl.Nodes;

/// <summary>A server to ask: what it is called in answers, where it answers, and what it has to be.</summary>
/// <param name="Via">The node that carries the connection; null when it is made directly.</param>
sealed record Target(string Name, Endpoint Endpoint, PeerKind Kind = PeerKind.Node, Endpoint? Via = null)
{
    const int DefaultPort = 50000;

    // What `--via` says to leave out the context's.
    public const string Direct = "direct";

    // Not a node's name: nodes are told apart from it by what their certificates say they are.
    const string Trustd = "trustd";

    public PeerConnection Connect(ClientCredentials credentials, TimeProvider time) =>
        Kind == PeerKind.Trustd ? PeerConnection.ToTrustd(Endpoint, credentials, time) : PeerConnection.ToNode(Endpoint, credentials, time, Via);

    /// <summary>Which nodes are meant.</summary>
    /// <param name="context">The context in use.</param>
    /// <param name="nodes">`-n`: names of the context's endpoints, `trustd`, or addresses.</param>
    /// <param name="endpoints">`-e`: addresses, or `name=address`, in place of the context's.</param>
    /// <param name="via">`--via`: the node that carries connections to the others, in place of the context's; `direct` for none, empty for the context's.</param>
    /// <param name="withTrustd">The context's trustd as well, unless nodes or endpoints are named.</param>
    public static IReadOnlyList<Target> Select(ClientContext context, IReadOnlyList<string> nodes, IReadOnlyList<string> endpoints, string via, bool withTrustd = false)
    {
        var known = context.Endpoints.Select(e => new Target(e.Key, e.Value)).ToList();
        if (endpoints.Count > 0) known = [.. endpoints.Select(ParseEndpoint)];
        else if (context.Trustd is { } trustd) known.Add(new Target(Trustd, trustd, PeerKind.Trustd));
        var carrier = Carrier(context, via);
        if (nodes.Count == 0 && endpoints.Count > 0) return [.. known.Select(Carried)];
        var wanted = nodes.Count > 0 ? nodes : context.Nodes.Count > 0 ? context.Nodes : [.. context.Endpoints.Keys];
        if (wanted.Count == 0) throw new OsctlException("no node is given", "name one with `-n`, or put `nodes` into the context");
        if (withTrustd && nodes.Count == 0 && endpoints.Count == 0 && context.Trustd is not null) wanted = [.. wanted, Trustd];
        return [.. wanted.Distinct().Select(name => Carried(Find(name, known)))];

        // trustd answers on the control plane, which is where one goes through; a node is not reached through itself.
        Target Carried(Target target) => target.Kind == PeerKind.Node && target.Endpoint != carrier ? target with { Via = carrier } : target;
    }

    static Endpoint? Carrier(ClientContext context, string via)
    {
        var name = via.Length > 0 ? via : context.Via ?? Direct;
        if (name == Direct) return null;
        return Find(name, [.. context.Endpoints.Select(e => new Target(e.Key, e.Value))]).Endpoint;
    }

    static Target Find(string name, List<Target> known)
    {
        if (known.Find(t => t.Name == name) is { } target) return target;
        // A word without dot or colon is meant as a name, so an unknown one is a mistake and no address.
        if (name.AsSpan().IndexOfAny('.', ':') < 0 && known.Count > 0)
            throw new OsctlException($"there is no node `{name}` in the context", $"its nodes are {string.Join(", ", known.Select(t => $"`{t.Name}`"))}");
        return new Target(name, ParseAddress(name));
    }

    static Target ParseEndpoint(string text)
    {
        var equals = text.IndexOf('=');
        return equals < 0 ? new Target(text, ParseAddress(text)) : new Target(text[..equals], ParseAddress(text[(equals + 1)..]));
    }

    static Endpoint ParseAddress(string text) => Endpoint.TryParse(text, DefaultPort, out var endpoint)
        ? endpoint
        : throw new OsctlException($"`{text}` is no address", "an address looks like `10.0.0.1`, `cp-1.example:50000` or `[fd00::1]:50000`");
}
