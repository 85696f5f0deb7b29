using System.Collections.Frozen;

namespace Talos.Policy;

/// <summary>What a function takes and gives.</summary>
sealed record FunctionType(RegoType[] Args, RegoType Result);

/// <summary>The types that builtins take and give.</summary>
static class BuiltinTypes
{
    // Types are written n(umber) s(tring) b(oolean) 0 (null) * (any), [item] or a for any array, (first,second) for an array of that length, <member> or t for
    // any set, {key:value} or o for any object, {name=value,key:value} for one with such a property; written together they are a union. Arguments first, then
    // the result.
    static readonly FrozenDictionary<string, FunctionType> All = Parse(
        """
        plus n n n|mul n n n|div n n n|rem n n n|minus nt nt nt|abs n n|ceil n n|floor n n|round n n|numbers.range n n [n]
        numbers.range_step n n n [n]|rand.intn s n n
        and t t t|or t t t|union <t> t|intersection <t> t|bits.and n n n|bits.or n n n|bits.xor n n n|bits.negate n n|bits.lsh n n n|bits.rsh n n n
        count saot n|sum [n]<n> n|product [n]<n> n|max at *|min at *|sort at a|array.concat a a a|array.slice a n n a|array.reverse a a|array.flatten a a
        equal * * b|neq * * b|lt * * b|lte * * b|gt * * b|gte * * b|internal.member_2 * * b|internal.member_3 * * * b
        internal.template_string a s|eq * * b|assign * * b|walk * (a,*)|trace s b
        concat s [s]<s> s|contains s s b|startswith s s b|endswith s s b|lower s s|upper s s|split s s [s]|replace s s s s|trim s s s|trim_left s s s
        trim_right s s s
        trim_prefix s s s|trim_suffix s s s|trim_space s s|substring s n n s|indexof s s n|indexof_n s s [n]|format_int n n s|sprintf s a s
        strings.reverse s s
        strings.count s s n|strings.replace_n {s:s} s s|strings.render_template s {s:*} s|strings.split_n s s n [s]
        strings.any_prefix_match s[s]<s> s[s]<s> b|strings.any_suffix_match s[s]<s> s[s]<s> b|regex.is_valid s b|regex.match s s b
        regex.split s s [s]|regex.replace s s s s
        regex.find_n s s n [s]|regex.find_all_string_submatch_n s s n [[s]]|regex.template_match s s s s b|regex.globs_match s s b
        glob.match s 0[s] s b|glob.quote_meta s s
        to_number 0bns n|is_null * b|is_boolean * b|is_number * b|is_string * b|is_array * b|is_object * b|is_set * b|type_name * s
        object.get o * * *|object.keys o t|object.remove o aot o|object.filter o aot o|object.subset aot aot b|object.union o o o|object.union_n [o] o
        json.marshal * s|json.marshal_with_options * {indent=s,prefix=s,pretty=b,s:*} s
        json.unmarshal s *|json.is_valid s b|json.filter o [sa]<sa> o|json.remove o [sa]<sa> o
        json.patch * [{op=s,path=*,*:*}] *
        json.match_schema so so (b,[{desc=s,error=s,field=s,type=s}])|json.verify_schema so (b,0s)|yaml.marshal * s|yaml.unmarshal s *|yaml.is_valid s b
        base64.encode s s|base64.decode s s|base64.is_valid s b|base64url.encode s s|base64url.decode s s|base64url.encode_no_pad s s|hex.encode s s
        hex.decode s s
        urlquery.encode s s|urlquery.decode s s|urlquery.encode_object {s:s[s]<s>} s|urlquery.decode_object s {s:[s]}|uri.parse s {s:s}|uri.is_valid s b
        time.now_ns n|time.parse_ns s s n|time.parse_rfc3339_ns s n|time.parse_duration_ns s n|time.format n(n,s)(n,s,s) s|time.date n(n,s) (n,n,n)
        time.clock n(n,s) (n,n,n)
        time.weekday n(n,s) s|time.add_date n n n n n|time.diff n(n,s) n(n,s) (n,n,n,n,n,n)
        crypto.md5 s s|crypto.sha1 s s|crypto.sha256 s s|crypto.hmac.md5 s s s|crypto.hmac.sha1 s s s|crypto.hmac.sha256 s s s
        crypto.hmac.sha512 s s s|crypto.hmac.equal s s b
        crypto.parse_private_keys s [{s:*}]|crypto.x509.parse_certificates s [{s:*}]|crypto.x509.parse_certificate_request s {s:*}
        crypto.x509.parse_keypair s s {s:*}
        crypto.x509.parse_rsa_private_key s {s:*}|crypto.x509.parse_and_verify_certificates s (b,[{s:*}])
        crypto.x509.parse_and_verify_certificates_with_options s {s:*} (b,[{s:*}])
        net.cidr_contains s s b|net.cidr_intersects s s b|net.cidr_expand s <s>|net.cidr_merge [s]<s> <s>|net.cidr_is_valid s b|net.lookup_ip_addr s <s>
        net.cidr_contains_matches s[sa]{s:sa}<sa> s[sa]{s:sa}<sa> <(*,*)>|graph.reachable {*:at} at t|graph.reachable_paths {*:at} at <a>
        graphql.is_valid so so b|graphql.schema_is_valid so b|graphql.parse so so (o,o)|graphql.parse_and_verify so so (b,o,o)
        graphql.parse_query s o|graphql.parse_schema s o
        semver.compare s s n|semver.is_valid * b|units.parse s n|units.parse_bytes s n|uuid.rfc4122 s s|uuid.parse s {s:*}
        io.jwt.decode s (o,o,s)|io.jwt.decode_verify s {s:*} (b,o,o)|io.jwt.encode_sign {s:*} {s:*} {s:*} s|io.jwt.encode_sign_raw s s s s
        io.jwt.verify_rs256 s s b|io.jwt.verify_rs384 s s b|io.jwt.verify_rs512 s s b|io.jwt.verify_ps256 s s b|io.jwt.verify_ps384 s s b
        io.jwt.verify_ps512 s s b
        io.jwt.verify_es256 s s b|io.jwt.verify_es384 s s b|io.jwt.verify_es512 s s b|io.jwt.verify_eddsa s s b
        io.jwt.verify_hs256 s s b|io.jwt.verify_hs384 s s b|io.jwt.verify_hs512 s s b|http.send {s:*} o|opa.runtime {s:*}
        providers.aws.sign_req {s:*} {s:*} n o
        all at b|any at b|cast_array * a|cast_boolean * b|cast_null * 0|cast_object * o|cast_set * t|cast_string * s|re_match s s b|set_diff t t t
        net.cidr_overlap s s b|test.sleep s 0|rego.parse_module s s {s:*}|rego.metadata.chain a|rego.metadata.rule *
        """);

    public static FunctionType? Find(string name) => All.GetValueOrDefault(name);

    public static IEnumerable<(string Name, FunctionType Type)> Everything => All.Select(f => (f.Key, f.Value));

    static FrozenDictionary<string, FunctionType> Parse(string table)
    {
        var all = new Dictionary<string, FunctionType>(StringComparer.Ordinal);
        foreach (string entry in table.Split(['|', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = entry.Split(' ');
            RegoType[] types = [.. parts[1..].Select(Type)];
            all.Add(parts[0], new FunctionType(types[..^1], types[^1]));
        }
        return all.ToFrozenDictionary(StringComparer.Ordinal);
    }

    static RegoType Type(string text)
    {
        int at = 0;
        return Union(text, ref at);
    }

    static RegoType Union(string text, ref int at)
    {
        RegoType? type = null;
        while (at < text.Length && text[at] is not (']' or '>' or '}' or ')' or ',' or ':')) type = RegoType.Or(type, One(text, ref at));
        return type ?? throw new InvalidOperationException($"no type in `{text}`");
    }

    static RegoType One(string text, ref int at)
    {
        RegoType type;
        switch (text[at++])
        {
            case 'n': return RegoType.Number;
            case 's': return RegoType.String;
            case 'b': return RegoType.Boolean;
            case '0': return RegoType.Null;
            case '*': return RegoType.Any;
            case 'a': return RegoType.AnyArray;
            case 'o': return RegoType.AnyObject;
            case 't': return RegoType.AnySet;
            case '[':
                type = RegoType.ArrayOf(Union(text, ref at));
                break;
            case '<':
                type = RegoType.SetOf(Union(text, ref at));
                break;
            case '{':
                type = Object(text, ref at);
                break;
            case '(':
                var items = new List<RegoType> { Union(text, ref at) };
                while (text[at] == ',')
                {
                    at++;
                    items.Add(Union(text, ref at));
                }
                type = RegoType.ArrayOf([.. items]);
                break;
            default: throw new InvalidOperationException($"unknown type `{text}`");
        }
        at++;
        return type;
    }

    static RegoType Object(string text, ref int at)
    {
        var properties = new Dictionary<Value, RegoType>();
        while (text[at] != '}')
        {
            int name = text.AsSpan(at).IndexOfAnyExceptInRange('a', 'z');
            if (name <= 0 || text[at + name] != '=')
            {
                RegoType key = Union(text, ref at);
                at++;
                return RegoType.ObjectOf(properties, key, Union(text, ref at));
            }
            Value property = Value.From(text.Substring(at, name));
            at += name + 1;
            properties.Add(property, Union(text, ref at));
            if (text[at] == ',') at++;
        }
        return RegoType.ObjectOf(properties, null, null);
    }
}
