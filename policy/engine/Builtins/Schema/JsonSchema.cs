using System.Globalization;
using System.Numerics;
using System.Text;

namespace Talos.Policy;

/// <summary>One violation, in the words of the library that OPA uses.</summary>
sealed record SchemaError(string Field, string Type, string Description);

/// <summary>JSON Schema, drafts 4, 6 and 7, and without <c>$schema</c> the union of them; other documents are not fetched.</summary>
sealed class JsonSchema
{
    readonly SchemaNode _root;

    JsonSchema(SchemaNode root) => _root = root;

    /// <exception cref="BuiltinException">Not a schema.</exception>
    public static JsonSchema Compile(Evaluation e, Value document) => new(new SchemaCompiler(e, document).Root());

    public IReadOnlyList<SchemaError> Validate(Evaluation e, Value document)
    {
        var result = new SchemaResult();
        new SchemaValidation(e).Visit(_root, document, "(root)", result);
        return result.Errors;
    }

    /// <summary>Text by which values are compared: object members in order, numbers as binary floats, so that 1.0 is 1.</summary>
    public static string Canonical(Value value)
    {
        var text = new StringBuilder();
        Canonical(text, value);
        return text.ToString();
    }

    static void Canonical(StringBuilder text, Value value)
    {
        char separator = value is ObjectValue ? '{' : '[';
        switch (value)
        {
            case NumberValue n:
                // Go, encoding/json: exponents only outside 1e-6 … 1e21, and not with a leading zero below.
                NumberValue rounded = NumberValue.Parse(n.ToDouble().ToString("R", CultureInfo.InvariantCulture)) ?? n;
                text.Append(Text(rounded, -6, 21).Replace("e-0", "e-", StringComparison.Ordinal));
                break;
            case ArrayValue { Items.Length: > 0 } a:
                foreach (Value item in a.Items)
                {
                    text.Append(separator);
                    Canonical(text, item);
                    separator = ',';
                }
                text.Append(']');
                break;
            case ObjectValue { Count: > 0 } o:
                foreach ((Value key, Value member) in o.Pairs)
                {
                    text.Append(separator).Append(ValueJson.Format(key, true)).Append(':');
                    Canonical(text, member);
                    separator = ',';
                }
                text.Append('}');
                break;
            default:
                text.Append(ValueJson.Format(value, true));
                break;
        }
    }

    /// <summary>A bound as Go's math/big prints it.</summary>
    public static string Text(NumberValue number) => Text(number, -4, 6);

    static string Text(NumberValue number, int lowest, int limit)
    {
        string digits = BigInteger.Abs(number.Exact.Digits).ToString(CultureInfo.InvariantCulture), sign = number.Sign < 0 ? "-" : "";
        int exponent = number.Sign == 0 ? 0 : digits.Length + number.Exact.Exponent - 1;
        if (exponent < lowest || exponent >= limit)
            return $"{sign}{digits[0]}{(digits.Length > 1 ? "." + digits[1..] : "")}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        if (exponent < 0) return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        return sign + (exponent + 1 >= digits.Length ? digits.PadRight(exponent + 1, '0') : digits[..(exponent + 1)] + "." + digits[(exponent + 1)..]);
    }
}
