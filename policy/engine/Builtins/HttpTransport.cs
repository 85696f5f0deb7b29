using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Talos.Policy;

/// <summary>How <c>http.send</c> connects: sockets of the machine, authorities, names and certificates as the request says.</summary>
static class HttpTransport
{
    public static SocketsHttpHandler Create(ObjectValue request, ref string url, GoUrl parsed)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = HttpRequest.Flag(request, "enable_redirect") == true, MaxAutomaticRedirections = 10 };
        try
        {
            Secure(request, handler.SslOptions);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BuiltinException($"cannot use a certificate or key of the request: {e.Message}");
        }
        if (parsed.Scheme == "unix") url = Socket(handler, parsed);
        else if (parsed.Scheme == "https" && HttpRequest.Text(request, "tls_server_name") is { Length: > 0 } name) url = Named(handler, parsed, name, url);
        return handler;
    }

    // The platform always expects the name of the address; another one is asked of the server by a handshake of our own, below what the platform takes for plain.
    static string Named(SocketsHttpHandler handler, GoUrl parsed, string name, string url)
    {
        SslClientAuthenticationOptions tls = handler.SslOptions;
        tls.TargetHost = name;
        handler.ConnectCallback = async (context, cancellation) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(context.DnsEndPoint, cancellation).ConfigureAwait(false);
                var secured = new SslStream(new NetworkStream(socket, true));
                await secured.AuthenticateAsClientAsync(tls, cancellation).ConfigureAwait(false);
                return secured;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
        string rest = url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..];
        int end = rest.AsSpan().IndexOfAny("/?#");
        return $"http://{(end < 0 ? rest : rest[..end])}{(parsed.Port.Length == 0 ? ":443" : "")}{(end < 0 ? "/" : rest[end..])}";
    }

    // `unix://localhost/path?socket=%2Frun%2Fx.sock`
    static string Socket(SocketsHttpHandler handler, GoUrl parsed)
    {
        ObjectValue query = EncodingBuiltins.DecodeQuery(Value.From(parsed.RawQuery));
        if (query.Get("socket") is not ArrayValue { Items: [StringValue { Text: var path }, ..] }) throw new BuiltinException("a unix URL needs a `socket` in its query");
        handler.ConnectCallback = async (_, cancellation) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
                return new NetworkStream(socket, true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
        string rest = string.Join('&', query.Pairs.Where(p => ((StringValue)p.Key).Text != "socket")
            .SelectMany(p => ((ArrayValue)p.Value).Items.Select(v => EncodingBuiltins.UrlEncode(((StringValue)p.Key).Text) + "=" + EncodingBuiltins.UrlEncode(((StringValue)v).Text))));
        return $"http://{(parsed.Host.Length == 0 ? "localhost" : parsed.Host)}{(parsed.RawPath.Length > 0 ? parsed.RawPath : parsed.Path)}{(rest.Length == 0 ? "" : "?" + rest)}";
    }

    static void Secure(ObjectValue request, SslClientAuthenticationOptions tls)
    {
        if (Material(request, "tls_client_cert") is { } certificate && Material(request, "tls_client_key") is { } key) tls.ClientCertificates = [X509Certificate2.CreateFromPem(certificate, key)];
        if (HttpRequest.Flag(request, "tls_insecure_skip_verify") == true)
        {
            // CA5359: the policy asks for it by name, and only a host that allows the network gets here.
#pragma warning disable CA5359
            tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
            return;
        }
        var authorities = new X509Certificate2Collection();
        foreach (string? pem in (string?[])[HttpRequest.Text(request, "tls_ca_cert")?.Replace("\\n", "\n", StringComparison.Ordinal), File(request, "tls_ca_cert_file"), Environment(request, "tls_ca_cert_env_variable")])
        {
            if (pem is null) continue;
            int before = authorities.Count;
            authorities.ImportFromPem(pem);
            if (authorities.Count == before) throw new BuiltinException("could not append certificates");
        }
        if (authorities.Count == 0) return;
        var chain = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        chain.CustomTrustStore.AddRange(authorities);
        if (HttpRequest.Flag(request, "tls_use_system_certs") == true)
        {
            using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
            chain.CustomTrustStore.AddRange(store.Certificates);
        }
        tls.CertificateChainPolicy = chain;
    }

    static string? Material(ObjectValue request, string name) => HttpRequest.Text(request, name) is { Length: > 0 } pem ? pem : File(request, name + "_file") ?? Environment(request, name + "_env_variable");

    static string? File(ObjectValue request, string name) => HttpRequest.Text(request, name) is { Length: > 0 } path ? System.IO.File.ReadAllText(path) : null;

    static string? Environment(ObjectValue request, string name) => HttpRequest.Text(request, name) is { Length: > 0 } variable ? System.Environment.GetEnvironmentVariable(variable) ?? "" : null;
}
