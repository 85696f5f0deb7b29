using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Talos.Policy.Tests;

/// <summary><c>http.send</c> where the host allows it, against a server on this machine.</summary>
public sealed class HttpSendTests
{
    static readonly RegoQueryOptions Allowed = new() { AllowNetwork = true, StrictBuiltinErrors = true };

    static readonly X509Certificate2 Certificate = MakeCertificate();

    static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("server.test");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    // Answers every connection once; `{0}` in a request is its port.
    static async Task<string> AskAsync(string answer, string request, bool tls = false, List<string>? asked = null, RegoQueryOptions? options = null)
    {
        string pem = Certificate.ExportCertificatePem();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var done = new CancellationTokenSource();
        Task serving = ServeAsync(listener, answer, tls, asked, done.Token);
        string query = "x = " + request.Replace("PORT", port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal).Replace("PEM", pem, StringComparison.Ordinal);
        try
        {
            return await Task.Run(() => JsonNode.Parse(Assert.Single(RegoProgram.Compile([]).Query(query, null, options ?? Allowed)))!["x"]!.ToJsonString());
        }
        finally
        {
            await done.CancelAsync();
            await serving;
        }
    }

    static async Task ServeAsync(TcpListener listener, string answer, bool tls, List<string>? asked, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                using TcpClient client = await listener.AcceptTcpClientAsync(cancellation);
                Stream stream = client.GetStream();
                try
                {
                    if (tls)
                    {
                        var secured = new SslStream(stream);
                        await secured.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = Certificate }, cancellation);
                        stream = secured;
                    }
                    var buffer = new byte[8192];
                    int length = await stream.ReadAsync(buffer, cancellation);
                    asked?.Add(Encoding.UTF8.GetString(buffer, 0, length));
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(answer.Replace("\n", "\r\n", StringComparison.Ordinal)), cancellation);
                }
                catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                {
                    asked?.Add("broken off"); // the client did not like the certificate
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            asked?.Add("end"); // the test has what it wanted
        }
    }

    const string Json = "HTTP/1.1 200 OK\nContent-Type: application/json\nX-Two: a\nConnection: close\nContent-Length: 7\n\n{\"a\":1}";

    [Fact]
    public async Task Accepts_an_answer_with_its_parts()
    {
        var asked = new List<string>();
        string got = await AskAsync(Json, """http.send({"method": "post", "url": "http://127.0.0.1:PORT/p?q=1", "body": {"b": [1]}, "headers": {"X-One": "1"}})""", asked: asked);
        JsonNode answer = JsonNode.Parse(got)!;
        Assert.Equal(("200 OK", 200, 1, "{\"a\":1}", "a"),
            ((string?)answer["status"], (int)answer["status_code"]!, (int)answer["body"]!["a"]!, (string?)answer["raw_body"], (string?)answer["headers"]!["x-two"]![0]));
        Assert.StartsWith("POST /p?q=1 HTTP/1.1", asked[0], StringComparison.Ordinal);
        Assert.Contains("X-One: 1", asked[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asks_once_in_one_evaluation_for_the_same_request()
    {
        var asked = new List<string>();
        await AskAsync(Json, """[y | some i in ["1", "2", "3"]; y := http.send({"method": "get", "url": "http://127.0.0.1:PORT/", "headers": {"X-I": i}, "cache_ignored_headers": ["X-I"]}).status_code]""", asked: asked);
        Assert.Single(asked, a => a.StartsWith("GET", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("text/plain", "\"x: [1]\"", "force_yaml_decode", """{"x":[1]}""")]
    [InlineData("text/plain", "{\"x\": 1}", "force_json_decode", """{"x":1}""")]
    [InlineData("application/vnd.test+json", "{\"x\": 2}", "enable_redirect", """{"x":2}""")]
    [InlineData("application/json", "not json", "force_json_decode", "null")]
    [InlineData("text/plain", "{\"x\": 1}", "enable_redirect", "null")]
    public async Task Decodes_bodies_as_asked(string type, string body, string option, string expected)
    {
        string text = body.Trim('"');
        string answer = $"HTTP/1.1 200 OK\nContent-Type: {type}\nConnection: close\nContent-Length: {text.Length}\n\n{text}";
        Assert.Equal(expected, JsonNode.Parse(await AskAsync(answer, $$"""http.send({"method": "GET", "url": "http://127.0.0.1:PORT/", "{{option}}": true})"""))!["body"]?.ToJsonString() ?? "null");
    }

    [Theory]
    [InlineData("""{"tls_ca_cert": `PEM`, "tls_server_name": "server.test"}""", 200)]
    [InlineData("""{"tls_insecure_skip_verify": true}""", 200)]
    [InlineData("""{"tls_ca_cert": `PEM`}""", 0)]
    [InlineData("""{"tls_ca_cert": `PEM`, "tls_server_name": "other.test"}""", 0)]
    [InlineData("""{"tls_server_name": "server.test"}""", 0)]
    public async Task Trusts_whom_the_request_names(string options, int status) => Assert.Equal(status.ToString(System.Globalization.CultureInfo.InvariantCulture),
        await AskAsync(Json, $$"""http.send(object.union({"method": "get", "url": "https://127.0.0.1:PORT/", "raise_error": false}, {{options}})).status_code""", tls: true));

    [Theory]
    [InlineData("""{"method": "get", "url": "http://127.0.0.1:1/"}""", "eval_http_send_network_error")]
    [InlineData("""{"method": "get", "url": "ftp://127.0.0.1/"}""", "eval_http_send_internal_error")]
    [InlineData("""{"method": "get"}""", "eval_http_send_internal_error")]
    [InlineData("""{"method": "get", "url": "http://127.0.0.1:1/", "timeout": true}""", "eval_http_send_internal_error")]
    [InlineData("""{"method": "get", "url": "http://127.0.0.1:1/", "tls_ca_cert": "no"}""", "eval_http_send_internal_error")]
    [InlineData("""{"method": "get", "url": "http://127.0.0.1:1/", "tls_client_cert": "a", "tls_client_key": "b"}""", "eval_http_send_internal_error")]
    [InlineData("""{"method": "get", "url": "http://127.0.0.1:1/", "headers": []}""", "eval_http_send_internal_error")]
    public void Tells_errors_as_values_where_they_are_not_raised(string request, string code)
    {
        string query = $$"""x = http.send(object.union({{request}}, {"raise_error": false})); x.status_code = 0""";
        Assert.Equal(code, (string?)JsonNode.Parse(Assert.Single(RegoProgram.Compile([]).Query(query, null, Allowed)))!["x"]!["error"]!["code"]);
        Assert.Throws<RegoException>(() => RegoProgram.Compile([]).Query("x = http.send(" + request + ")", null, Allowed));
    }

    [Fact]
    public void Rejects_every_request_where_the_network_is_not_allowed() => Assert.Contains("network access is refused",
        Assert.Throws<RegoException>(() => RegoProgram.Compile([]).Query("""x = http.send({"method": "get", "url": "http://127.0.0.1:1/", "raise_error": false})""")).Message, StringComparison.Ordinal);
}
