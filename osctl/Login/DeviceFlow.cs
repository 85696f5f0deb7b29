namespace Talos.Osctl.Login;

/// <summary>RFC 8628: the person logs in on another device and types a code there.</summary>
static class DeviceFlow
{
    // LIMIT: longer than any provider lets a code live.
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    /// <summary>Gives the ID token once the person has logged in.</summary>
    public static async Task<string> RunAsync(ProviderClient provider, string nonce, Terminal terminal, CancellationToken cancellation)
    {
        if (!provider.Has("device_authorization_endpoint")) throw new OsctlException("the identity provider has no device flow", "log in with a browser on this machine: `osctl login` without `--device`");
        // `nonce` is no parameter of RFC 8628; providers that put it into the token bind it to this key, the others ignore it.
        var start = await provider.PostAsync("device_authorization_endpoint", [new("client_id", provider.ClientId), new("scope", provider.Scope), new("nonce", nonce)], cancellation);
        if (ProviderClient.Text(start, "error") is { Length: > 0 } refusal) throw provider.Refused(refusal, ProviderClient.Text(start, "error_description"));
        var (device, code, address) = (ProviderClient.Text(start, "device_code"), ProviderClient.Text(start, "user_code"), ProviderClient.Text(start, "verification_uri"));
        if (device.Length == 0 || code.Length == 0 || address.Length == 0) throw provider.Refused("invalid answer", "it has no code");
        terminal.Error.WriteLine($"open {Nodes.CallFailure.Sentence(address)} and type the code {Nodes.CallFailure.Sentence(code)}");

        // §3.2: five seconds where the provider says nothing.
        var pause = TimeSpan.FromSeconds(Math.Clamp(ProviderClient.Number(start, "interval", 5), 1, 60));
        var life = TimeSpan.FromSeconds(ProviderClient.Number(start, "expires_in", 600));
        var end = terminal.Time.GetUtcNow() + (life < Longest ? life : Longest);
        while (terminal.Time.GetUtcNow() < end)
        {
            await Task.Delay(pause, terminal.Time, cancellation);
            var answer = await provider.PostAsync("token_endpoint",
                [new("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), new("device_code", device), new("client_id", provider.ClientId)], cancellation);
            // §3.5.
            switch (ProviderClient.Text(answer, "error"))
            {
                case "authorization_pending":
                    continue;
                case "slow_down":
                    pause += TimeSpan.FromSeconds(5);
                    continue;
                default:
                    return provider.IdToken(answer);
            }
        }
        throw new OsctlException("nobody logged in before the code expired", "run the command again", ExitCode.NodeFailed);
    }
}
