using System.Globalization;

namespace Talos.Policy;

/// <summary>A parsed document, and where in its text each node began; an object that came as such has no places.</summary>
sealed record GraphQLDocument(ObjectValue Tree, IReadOnlyDictionary<Value, GraphQLToken>? Places = null)
{
    public (int Line, int Column) Place(Value? node) => node is not null && Places?.TryGetValue(node, out GraphQLToken token) == true ? (token.Line, token.Column) : (0, 0);

    public static IEnumerable<Value> List(Value? o, string name) => o?.Get(name) is ArrayValue a ? a.Items : [];

    public static string Text(Value? o, string name) => (o?.Get(name) as StringValue)?.Text ?? "";

    /// <summary>A member that is an object; an empty one where a tree that came as such has none.</summary>
    public static ObjectValue Part(Value? o, string name) => o?.Get(name) as ObjectValue ?? ObjectValue.Empty;

    public static bool Flag(Value? o, string name) => o?.Get(name) == BooleanValue.True;

    public static Value? Named(IEnumerable<Value> nodes, string name) => nodes.FirstOrDefault(n => Text(n, "Name") == name);

    /// <summary>The named type inside lists.</summary>
    public static string TypeName(Value? type)
    {
        while (type?.Get("Elem") is { } element) type = element;
        return Text(type, "NamedType");
    }

    public static string TypeText(Value? type) =>
        (type?.Get("Elem") is { } element ? "[" + TypeText(element) + "]" : Text(type, "NamedType")) + (Flag(type, "NonNull") ? "!" : "");

    /// <summary>Whether a value of one type may stand where the other is expected.</summary>
    public static bool IsCompatible(Value type, Value expected)
    {
        if (Text(type, "NamedType") != Text(expected, "NamedType")) return false;
        if (type.Get("Elem") is { } element && !(expected.Get("Elem") is { } wanted && IsCompatible(element, wanted))) return false;
        return !Flag(expected, "NonNull") || Flag(type, "NonNull");
    }
}

/// <summary>The numbers that the library has for kinds of values.</summary>
enum GraphQLValueKind
{
    Variable = 0,
    Int,
    Float,
    String,
    Block,
    Boolean,
    Null,
    Enum,
    List,
    Object,
}

/// <summary>Literals of a query.</summary>
static class GraphQLLiteral
{
    public static GraphQLValueKind Kind(Value value) => value.Get("Kind") is NumberValue n && n.TryGetInt32(out int kind) ? (GraphQLValueKind)kind : GraphQLValueKind.Variable;

    public static string Raw(Value value) => GraphQLDocument.Text(value, "Raw");

    public static bool IsNumberInRange(Value value) => Kind(value) switch
    {
        GraphQLValueKind.Int => long.TryParse(Raw(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        GraphQLValueKind.Float => double.TryParse(Raw(value), NumberStyles.Float, CultureInfo.InvariantCulture, out double d) && double.IsFinite(d),
        _ => true,
    };

    public static string Format(Value value)
    {
        IEnumerable<Value> children = GraphQLDocument.List(value, "Children");
        switch (Kind(value))
        {
            case GraphQLValueKind.Variable: return "$" + Raw(value);
            case GraphQLValueKind.String or GraphQLValueKind.Block:
                var text = new System.Text.StringBuilder();
                ValueText.Quote(text, Raw(value));
                return text.ToString();
            case GraphQLValueKind.List: return $"[{string.Join(',', children.Select(c => Format(GraphQLDocument.Part(c, "Value"))))}]";
            case GraphQLValueKind.Object: return $"{{{string.Join(',', children.Select(c => GraphQLDocument.Text(c, "Name") + ":" + Format(GraphQLDocument.Part(c, "Value"))))}}}";
            default: return Raw(value);
        }
    }
}
