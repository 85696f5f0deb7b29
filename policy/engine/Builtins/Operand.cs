using System.Numerics;

namespace Talos.Policy;

/// <summary>Arguments of builtins by type, with OPA's words when they have another. Positions count from 1.</summary>
static class Operand
{
    public static string Text(Value v, int position) => v is StringValue s ? s.Text : throw BuiltinException.Type(position, v, "string");

    public static NumberValue Number(Value v, int position) => v as NumberValue ?? throw BuiltinException.Type(position, v, "number");

    public static ObjectValue Object(Value v, int position) => v as ObjectValue ?? throw BuiltinException.Type(position, v, "object");

    public static Value[] Array(Value v, int position) => v is ArrayValue a ? a.Items : throw BuiltinException.Type(position, v, "array");

    public static SetValue Set(Value v, int position) => v as SetValue ?? throw BuiltinException.Type(position, v, "set");

    public static Value[] ArrayOrSet(Value v, int position) => v switch
    {
        ArrayValue a => a.Items,
        SetValue s => s.Members.Sorted,
        _ => throw BuiltinException.Type(position, v, "array", "set"),
    };

    public static bool Boolean(Value v, int position) => v is BooleanValue ? !v.IsFalse : throw BuiltinException.Type(position, v, "boolean");

    public static int Int(Value v, int position)
    {
        if (!Number(v, position).TryGetInt64(out long i)) throw BuiltinException.Operand(position, "must be integer number but got floating-point number");
        return (int)Math.Clamp(i, int.MinValue, int.MaxValue);
    }

    public static BigInteger BigInt(Value v, int position)
    {
        if (v is not NumberValue n) throw BuiltinException.Type(position, v, "integer");
        return n.IsInteger ? n.ToBigInteger() : throw BuiltinException.Operand(position, "must be integer number but got floating-point number");
    }

    public static string[] Strings(Value v, int position)
    {
        Value[] items = ArrayOrSet(v, position);
        var texts = new string[items.Length];
        for (int i = 0; i < items.Length; i++) texts[i] = items[i] is StringValue s ? s.Text : throw BuiltinException.Element(position, v, items[i], "string");
        return texts;
    }
}
