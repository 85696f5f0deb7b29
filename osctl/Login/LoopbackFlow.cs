using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Talos.Osctl.Login;

/// <summary>RFC 8252 §7.3: a browser on this machine, and the answer to a port of the loopback that listens for this one login. PKCE, RFC 7636.</summary>
static class LoopbackFlow
{
    // LIMIT: a code, a state and an issuer; browsers add headers that nobody reads here.
    const int MaxRequest = 16 << 10;

    const string Answer = "You are logged in. This window may be closed.\n";
    const string Complaint = "This is not the answer that osctl waits for.\n";

    /// <summary>Gives the ID token once the person has logged in.</summary>
    /// <param name="patience">How long the person may take.</param>
    public static async Task<string> RunAsync(ProviderClient provider, string nonce, Terminal terminal, TimeSpan patience, CancellationToken cancellation)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var redirect = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/callback";
        var (verifier, state) = (Random(), Random());
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        var query = Query(
            ("response_type", "code"), ("client_id", provider.ClientId), ("redirect_uri", redirect), ("scope", provider.Scope), ("state", state), ("nonce", nonce),
            ("code_challenge", challenge), ("code_challenge_method", "S256"));
        var address = provider.Endpoint("authorization_endpoint");
        terminal.Error.WriteLine($"open {address}{(address.Query.Length > 0 ? "&" : "?")}{query}");

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var timer = new CancellationTokenSource(patience, terminal.Time);
        await using var over = timer.Token.Register(limit.Cancel);
        try
        {
            var code = await WaitAsync(listener, provider, state, limit.Token);
            return provider.IdToken(await provider.PostAsync("token_endpoint",
                [new("grant_type", "authorization_code"), new("code", code), new("redirect_uri", redirect), new("client_id", provider.ClientId), new("code_verifier", verifier)], cancellation));
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new OsctlException($"nobody logged in within {DurationText.Format(patience)}", "on a machine without a browser: `osctl login --device`", ExitCode.NodeFailed);
        }
    }

    static async Task<string> WaitAsync(TcpListener listener, ProviderClient provider, string state, CancellationToken cancellation)
    {
        while (true)
        {
            using var connection = await listener.AcceptTcpClientAsync(cancellation);
            await using var stream = connection.GetStream();
            try
            {
                var parameters = Parameters(await ReadTargetAsync(stream, cancellation));
                // Whatever else on this machine finds the port: only who knows the state is listened to.
                var isOurs = CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(parameters.GetValueOrDefault("state", "")), Encoding.UTF8.GetBytes(state))
                    // RFC 9207: an answer that names another issuer was meant for another login.
                    && parameters.GetValueOrDefault("iss", provider.Issuer) == provider.Issuer;
                await WriteAsync(stream, isOurs ? Answer : Complaint, cancellation);
                if (!isOurs) continue;
                if (parameters.GetValueOrDefault("error") is { } error) throw provider.Refused(error, parameters.GetValueOrDefault("error_description", ""));
                if (parameters.GetValueOrDefault("code") is { Length: > 0 } code) return code;
            }
            catch (IOException)
            {
                // A browser that opens connections in advance and closes them unused.
            }
        }
    }

    /// <summary>The target of an HTTP/1.1 request, `/callback?…`; empty when there is none.</summary>
    static async Task<string> ReadTargetAsync(NetworkStream stream, CancellationToken cancellation)
    {
        var buffer = new byte[MaxRequest];
        var length = 0;
        while (length < buffer.Length)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellation);
            if (read == 0) break;
            length += read;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0) break;
        }
        var line = Encoding.ASCII.GetString(buffer, 0, Math.Max(0, buffer.AsSpan(0, length).IndexOf("\r\n"u8)));
        return line.Split(' ') is ["GET", var target, _] && target.StartsWith("/callback?", StringComparison.Ordinal) ? target : "";
    }

    static Dictionary<string, string> Parameters(string target)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in target[(target.IndexOf('?') + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
            if (pair.Split('=', 2) is [var name, var value]) values.TryAdd(name, Uri.UnescapeDataString(value.Replace('+', ' ')));
        return values;
    }

    static ValueTask WriteAsync(NetworkStream stream, string text, CancellationToken cancellation) => stream.WriteAsync(Encoding.ASCII.GetBytes(
        $"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {text.Length}\r\nConnection: close\r\nCache-Control: no-store\r\n\r\n{text}"), cancellation);

    static string Query(params ReadOnlySpan<(string Name, string Value)> parameters)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in parameters) text.Append(text.Length > 0 ? "&" : "").Append(name).Append('=').Append(Uri.EscapeDataString(value));
        return text.ToString();
    }

    // RFC 7636 §4.1: 43 characters of 256 random bits.
    static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}
