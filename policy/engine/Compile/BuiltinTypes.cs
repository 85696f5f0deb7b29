using System.Collections.Frozen;

namespace Talos.Policy;

/// <summary>A union of types.</summary>
[Flags]
enum TypeSet
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Number = 4,
    String = 8,
    Array = 16,
    Object = 32,
    Set = 64,
    Any = 127,
}

/// <summary>The types that builtins take and give.</summary>
static class BuiltinTypes
{
    public sealed record Signature(TypeSet[] Args, TypeSet Result);

    // One letter a type: n(umber) s(tring) b(oolean) a(rray) o(bject) t (set) 0 (null) * (any); arguments, then the result.
    static readonly FrozenDictionary<string, Signature> All = Parse(
        """
        plus n n n|mul n n n|div n n n|rem n n n|minus nt nt nt|abs n n|ceil n n|floor n n|round n n|numbers.range n n a|numbers.range_step n n n a|rand.intn s n n
        and t t t|or t t t|union t t|intersection t t|bits.and n n n|bits.or n n n|bits.xor n n n|bits.negate n n|bits.lsh n n n|bits.rsh n n n
        count aost n|sum at n|product at n|max at *|min at *|sort at a|array.concat a a a|array.slice a n n a|array.reverse a a|array.flatten a a
        equal * * b|neq * * b|lt * * b|lte * * b|gt * * b|gte * * b|internal.member_2 * * b
        concat s at s|contains s s b|startswith s s b|endswith s s b|lower s s|upper s s|split s s a|replace s s s s|trim s s s|trim_left s s s|trim_right s s s|trim_prefix s s s
        trim_suffix s s s|trim_space s s|substring s n n s|indexof s s n|indexof_n s s a|format_int n n s|sprintf s a s|strings.reverse s s|strings.count s s n|strings.replace_n o s s
        strings.render_template s o s|regex.match s s b|regex.split s s a|regex.replace s s s s|regex.find_n s s n a|regex.find_all_string_submatch_n s s n a|regex.template_match s s s s b
        regex.globs_match s s b|glob.match s a0 s b|glob.quote_meta s s|to_number 0bns n|is_null * b|is_boolean * b|is_number * b|is_string * b|is_array * b|is_object * b|is_set * b|type_name * s
        object.get o * * *|object.keys o t|object.remove o aot *|object.filter o aot *|object.union o o o|object.union_n a o|json.marshal * s|json.unmarshal s *|json.is_valid s b
        json.filter o at *|json.remove o at *|json.patch * a *|yaml.marshal * s|yaml.unmarshal s *|base64.encode s s|base64.decode s s|base64.is_valid s b|base64url.encode s s|base64url.decode s s
        base64url.encode_no_pad s s|hex.encode s s|hex.decode s s|urlquery.encode s s|urlquery.decode s s|urlquery.encode_object o s|urlquery.decode_object s o
        time.parse_ns s s n|time.parse_rfc3339_ns s n|time.parse_duration_ns s n|time.format na s|time.date na a|time.clock na a|time.weekday na s|time.add_date n n n n n|time.diff na na a
        crypto.md5 s s|crypto.sha1 s s|crypto.sha256 s s|crypto.hmac.md5 s s s|crypto.hmac.sha1 s s s|crypto.hmac.sha256 s s s|crypto.hmac.sha512 s s s|crypto.hmac.equal s s b
        crypto.x509.parse_certificates s a|crypto.x509.parse_certificate_request s o|net.cidr_contains s s b|net.cidr_intersects s s b|net.cidr_expand s t|net.cidr_merge at t|net.cidr_is_valid s b
        graph.reachable o at t|graph.reachable_paths o at t|semver.compare s s n|units.parse s n|units.parse_bytes s n|uuid.rfc4122 s s|uuid.parse s o
        io.jwt.decode s a|io.jwt.decode_verify s o a|http.send o o|net.lookup_ip_addr s t|time.now_ns n
        """);

    public static Signature? Find(string name) => All.GetValueOrDefault(name);

    public static TypeSet Of(ValueKind kind) => (TypeSet)(1 << (int)kind);

    public static string Describe(TypeSet types) => types == TypeSet.Any ? "any" : string.Join(" or ", Enum.GetValues<ValueKind>().Where(k => types.HasFlag(Of(k))).Select(k => k.ToString().ToLowerInvariant()));

    static FrozenDictionary<string, Signature> Parse(string table)
    {
        var all = new Dictionary<string, Signature>(StringComparer.Ordinal);
        foreach (string entry in table.Split(['|', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = entry.Split(' ');
            TypeSet[] types = [.. parts[1..].Select(Types)];
            all.Add(parts[0], new Signature(types[..^1], types[^1]));
        }
        return all.ToFrozenDictionary(StringComparer.Ordinal);
    }

    static TypeSet Types(string letters) => letters.Aggregate(TypeSet.None, (types, letter) => types | letter switch
    {
        'n' => TypeSet.Number,
        's' => TypeSet.String,
        'b' => TypeSet.Boolean,
        'a' => TypeSet.Array,
        'o' => TypeSet.Object,
        't' => TypeSet.Set,
        '0' => TypeSet.Null,
        '*' => TypeSet.Any,
        _ => throw new InvalidOperationException($"unknown type letter {letter}"),
    });
}
