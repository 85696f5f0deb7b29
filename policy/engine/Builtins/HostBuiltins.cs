using System.Net;
using System.Net.Sockets;

namespace Talos.Policy;

/// <summary>What asks the host: the runtime, and the network, which is refused unless the host allows it.</summary>
static class HostBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        new("opa.runtime", 0, (e, _) => e.Options.Runtime),
        new("http.send", 1, (e, a) => HttpRequest.Send(e, Operand.Object(a[0], 1))),
        new("net.lookup_ip_addr", 1, Lookup),
        new("rego.metadata.chain", 0, (_, _) => null),
        new("rego.metadata.rule", 0, (_, _) => null),
        Builtin.Of("rego.parse_module", ParseModule),
        new("print", -1, (_, _) => BooleanValue.True),
        new("walk", 1, (_, _) => null),
        Builtin.Of("internal.test_case", _ => BooleanValue.True),
    ];

    // A node's authorization must not depend on the network.
    public static EvaluationException Refused(string name) => new("eval_builtin_error", $"{name}: network access is refused here");

    static Value Lookup(Evaluation e, Value[] args)
    {
        string name = Operand.Text(args[0], 1);
        if (!e.Options.AllowNetwork) throw Refused("net.lookup_ip_addr");
        if (IPAddress.TryParse(name, out IPAddress? literal)) return SetValue.From([Value.From(literal.ToString())]);
        try
        {
            return SetValue.From([.. Dns.GetHostAddresses(name).Select(a => Value.From(a.ToString()))]);
        }
        catch (SocketException x)
        {
            throw new BuiltinException(x.SocketErrorCode == SocketError.HostNotFound ? $"lookup {name}: no such host" : x.Message);
        }
    }

    static ObjectValue ParseModule(Value file, Value text)
    {
        string name = Operand.Text(file, 1), source = Operand.Text(text, 2);
        var errors = new List<PolicyError>();
        if (Parser.ParseModule(name, source, errors) is { } module) return AstDocument.Write(module);
        throw new BuiltinException(string.Join('\n', errors.Select(e => $"{e.File}:{e.Line}: {e.Code}: {e.Message}")));
    }
}
