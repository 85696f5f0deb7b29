using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Talos.Policy;

/// <summary><c>http.send</c>, for hosts that allow it; the node's authorizer never does. Answers are kept for one evaluation, not beyond.</summary>
static class HttpRequest
{
    // LIMIT: size of an answer.
    const long MaxAnswer = 16 << 20;

    // LIMIT: attempts after the first; the pause between them doubles.
    const int MaxRetries = 10;

    // LIMIT: what no timeout at all means.
    static readonly TimeSpan MaxTimeout = TimeSpan.FromMinutes(1);

    static readonly string[] Required = ["method", "url"];

    static readonly HashSet<string> Known =
    [
        "method", "url", "body", "raw_body", "headers", "enable_redirect", "force_json_decode", "force_yaml_decode", "timeout", "cache", "force_cache",
        "force_cache_duration_seconds", "raise_error", "caching_mode", "max_retry_attempts", "cache_ignored_headers", "tls_use_system_certs", "tls_ca_cert",
        "tls_ca_cert_file", "tls_ca_cert_env_variable", "tls_client_cert", "tls_client_cert_file", "tls_client_cert_env_variable", "tls_client_key",
        "tls_client_key_file", "tls_client_key_env_variable", "tls_insecure_skip_verify", "tls_server_name",
    ];

    public static Value Send(Evaluation e, ObjectValue request)
    {
        if (!e.Options.AllowNetwork && Problem(request) is null) throw HostBuiltins.Refused("http.send");
        bool raises = Flag(request, "raise_error") ?? true;
        try
        {
            if (Problem(request) is { } problem) throw BuiltinException.Operand(1, problem);
            string key = "http.send:" + CacheKey(request);
            if (e.Memo.TryGetValue(key, out Value? known)) return known;
            return e.Memo[key] = Ask(e, request);
        }
        catch (Exception x) when (x is HttpRequestException or OperationCanceledException or IOException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            string message = x is OperationCanceledException ? $"{Text(request, "method")} {Text(request, "url")}: request timed out" : x.Message;
            return raises ? throw new BuiltinException(message) : Failed("eval_http_send_network_error", message);
        }
        catch (BuiltinException x) when (!raises)
        {
            return Failed("eval_http_send_internal_error", "http.send: " + x.Message);
        }
    }

    static ObjectValue Failed(string code, string message) => ObjectValue.From(
        ("status_code", Value.From(0)), ("error", ObjectValue.From(("code", Value.From(code)), ("message", Value.From(message)))));

    static string? Problem(ObjectValue request)
    {
        Value[] unknown = [.. request.Keys.Sorted.Where(k => k is not StringValue s || !Known.Contains(s.Text))];
        if (unknown.Length > 0) return $"invalid request parameters(s): {SetValue.From(unknown)}";
        Value[] missing = [.. Required.Where(n => request.Get(n) is null).Select(Value.From)];
        return missing.Length > 0 ? $"missing required request parameters(s): {SetValue.From(missing)}" : null;
    }

    // Headers that the request names make no other request of it.
    static ObjectValue CacheKey(ObjectValue request)
    {
        ObjectValue key = request.With(Value.From("cache_ignored_headers"), NullValue.Instance);
        if (request.Get("cache_ignored_headers") is not ArrayValue ignored || request.Get("headers") is not ObjectValue headers) return key;
        return key.With(Value.From("headers"), ObjectValue.From([.. headers.Pairs.Where(h => !ignored.Items.Contains(h.Key))]));
    }

    public static string? Text(ObjectValue request, string name) => request.Get(name) switch
    {
        null => null,
        StringValue s => s.Text.Trim('"'),
        _ => throw new BuiltinException($"\"{name}\" must be a string"),
    };

    public static bool? Flag(ObjectValue request, string name) => request.Get(name) switch
    {
        null => null,
        BooleanValue b => !b.IsFalse,
        _ => throw new BuiltinException($"invalid value for \"{name}\" field"),
    };

    // Nanoseconds, or text with a unit.
    static TimeSpan Wait(ObjectValue request)
    {
        long nanoseconds = request.Get("timeout") switch
        {
            null => 5_000_000_000,
            NumberValue n => n.TryGetInt64(out long ns) ? ns : throw new BuiltinException($"invalid timeout number value {n}, must be int64"),
            StringValue s when long.TryParse(s.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long ns) => ns,
            StringValue s => TimeBuiltins.Duration(s.Text),
            { } other => throw BuiltinException.Operand(1, $"'timeout' must be one of {{string, number}} but got {other.TypeName}"),
        };
        return nanoseconds <= 0 || nanoseconds > MaxTimeout.Ticks * 100 ? MaxTimeout : TimeSpan.FromTicks(Math.Max(1, nanoseconds / 100));
    }

    static int Retries(ObjectValue request) => request.Get("max_retry_attempts") switch
    {
        null => 0,
        NumberValue n when n.TryGetInt32(out int retries) && retries >= 0 => Math.Min(retries, MaxRetries),
        { } other => throw new BuiltinException($"invalid value {other} for field \"max_retry_attempts\""),
    };

    static ObjectValue Ask(Evaluation e, ObjectValue request)
    {
        string url = Text(request, "url")!;
        if (GoUrl.TryParse(url) is not { } parsed || parsed.Scheme is not ("http" or "https" or "unix")) throw new BuiltinException($"unsupported protocol scheme \"{GoUrl.TryParse(url)?.Scheme}\" in `{url}`");
        using SocketsHttpHandler handler = HttpTransport.Create(request, ref url, parsed);
        using var client = new HttpClient(handler) { Timeout = Wait(request), MaxResponseContentBufferSize = MaxAnswer };
        for (int attempt = 0, retries = Retries(request); ; attempt++)
        {
            e.Tick();
            try
            {
                using HttpRequestMessage message = Message(request, url);
                using HttpResponseMessage answer = client.Send(message);
                return Document(request, answer);
            }
            catch (Exception x) when (attempt < retries && x is HttpRequestException or OperationCanceledException or IOException)
            {
                Task.Delay(TimeSpan.FromMilliseconds(100 << attempt), e.Options.Clock).Wait();
            }
        }
    }

    static HttpRequestMessage Message(ObjectValue request, string url)
    {
        var message = new HttpRequestMessage(new HttpMethod(Text(request, "method")!.ToUpperInvariant()), new Uri(url));
        byte[]? body = Text(request, "raw_body") is { } raw ? GoBytes.Of(raw) : request.Get("body") is { } value ? Encoding.UTF8.GetBytes(ValueJson.Format(value, true)) : null;
        if (body is not null) message.Content = new ByteArrayContent(body);
        if (request.Get("headers") is not { } given) return message;
        if (given is not ObjectValue headers) throw new BuiltinException("invalid type for headers key");
        foreach ((Value name, Value header) in headers.Pairs)
        {
            if (header is not StringValue { Text: var text }) throw new BuiltinException($"invalid type for headers value {header}");
            string key = ValueJson.KeyText(name);
            if (!message.Headers.TryAddWithoutValidation(key, text)) (message.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(key, text);
        }
        return message;
    }

    static ObjectValue Document(ObjectValue request, HttpResponseMessage answer)
    {
        using var reader = new StreamReader(answer.Content.ReadAsStream(), new UTF8Encoding(false));
        string text = reader.ReadToEnd();
        string type = answer.Content.Headers.ContentType?.MediaType ?? "";
        bool json = Flag(request, "force_json_decode") == true || type == "application/json" || (type.StartsWith("application/", StringComparison.Ordinal) && type.EndsWith("+json", StringComparison.Ordinal));
        bool yaml = Flag(request, "force_yaml_decode") == true || type is "application/yaml" or "application/x-yaml";
        IEnumerable<KeyValuePair<Value, Value>> headers = answer.Headers.Concat<KeyValuePair<string, IEnumerable<string>>>(answer.Content.Headers)
            .Select(h => new KeyValuePair<Value, Value>(Value.From(h.Key.ToLowerInvariant()), new ArrayValue([.. h.Value.Select(Value.From)])));
        return ObjectValue.From(
            ("status", Value.From($"{(int)answer.StatusCode} {answer.ReasonPhrase}")), ("status_code", Value.From((int)answer.StatusCode)),
            ("body", json ? Decoded(text, t => ValueJson.Parse(t)) : yaml ? Decoded(text, YamlDocument.Read) : NullValue.Instance), ("raw_body", Value.From(text)), ("headers", ObjectValue.From([.. headers])));
    }

    // What cannot be decoded is null, and still there as text.
    static Value Decoded(string text, Func<string, Value> decode)
    {
        try
        {
            return decode(text);
        }
        catch (Exception e) when (e is JsonException or BuiltinException)
        {
            return NullValue.Instance;
        }
    }
}
