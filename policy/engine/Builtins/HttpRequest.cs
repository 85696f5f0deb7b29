using System.Text;

namespace Talos.Policy;

/// <summary><c>http.send</c>, for hosts that allow it; the node's authorizer never does.</summary>
static class HttpRequest
{
    // LIMIT: size of an answer.
    const long MaxAnswer = 16 << 20;

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
        Value[] unknown = [.. request.Keys.Sorted.Where(k => k is not StringValue s || !Known.Contains(s.Text))];
        if (unknown.Length > 0) throw BuiltinException.Operand(1, $"invalid request parameters(s): {SetValue.From(unknown)}");
        Value[] missing = [.. Required.Where(n => request.Get(n) is null).Select(Value.From)];
        if (missing.Length > 0) throw BuiltinException.Operand(1, $"missing required request parameters(s): {SetValue.From(missing)}");
        if (!e.Options.AllowNetwork) throw HostBuiltins.Refused("http.send");
        string method = Text(request, "method").ToUpperInvariant(), url = Text(request, "url");
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https")) throw new BuiltinException($"unsupported URL `{url}`");
        string key = "http.send:" + request;
        if (e.Memo.TryGetValue(key, out Value? known)) return known;
        Value answer = Ask(method, address, request);
        e.Memo.Add(key, answer);
        return answer;
    }

    static string Text(ObjectValue request, string name) => request.Get(name) is StringValue s ? s.Text : throw BuiltinException.Operand(1, $"'{name}' must be string");

    static ObjectValue Ask(string method, Uri address, ObjectValue request)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = request.Get("enable_redirect") == BooleanValue.True };
        using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(5), MaxResponseContentBufferSize = MaxAnswer };
        using var message = new HttpRequestMessage(new HttpMethod(method), address);
        if (request.Get("raw_body") is StringValue raw) message.Content = new StringContent(raw.Text, Encoding.UTF8);
        else if (request.Get("body") is { } body) message.Content = new StringContent(ValueJson.Format(body), Encoding.UTF8, "application/json");
        if (request.Get("headers") is ObjectValue headers)
            foreach ((Value name, Value value) in headers.Pairs)
                if (name is StringValue n && value is StringValue v && !message.Headers.TryAddWithoutValidation(n.Text, v.Text)) message.Content?.Headers.TryAddWithoutValidation(n.Text, v.Text);
        try
        {
            using HttpResponseMessage answer = client.Send(message);
            string text = new StreamReader(answer.Content.ReadAsStream()).ReadToEnd();
            bool json = request.Get("force_json_decode") == BooleanValue.True || answer.Content.Headers.ContentType?.MediaType == "application/json";
            var received = answer.Headers.Concat(answer.Content.Headers).Select(h => new KeyValuePair<Value, Value>(Value.From(h.Key.ToLowerInvariant()), new ArrayValue([.. h.Value.Select(Value.From)])));
            return ObjectValue.From(
                ("status", Value.From($"{(int)answer.StatusCode} {answer.ReasonPhrase}")), ("status_code", Value.From((int)answer.StatusCode)),
                ("body", json ? EncodingBuiltins.FromJson(text) : NullValue.Instance), ("raw_body", Value.From(text)), ("headers", ObjectValue.From([.. received])));
        }
        catch (Exception x) when (x is HttpRequestException or TaskCanceledException)
        {
            if (request.Get("raise_error") != BooleanValue.False) throw new BuiltinException(x.Message);
            return ObjectValue.From(("status_code", Value.From(0)), ("error", ObjectValue.From(("code", Value.From("eval_http_send_network_error")), ("message", Value.From(x.Message)))));
        }
    }
}
