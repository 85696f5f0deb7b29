using System.Text;
using System.Text.Json;

namespace Talos.Policy;

/// <summary>
/// Asks an OPA server instead of deciding in process: <c>POST /v1/data/talos/authz/decision</c>. Connections are kept; whatever goes
/// wrong, or takes longer than the deadline, is a deny. Not for a node's own authorization by default: it depends on the network.
/// </summary>
public sealed class OutsideOpa : IDisposable
{
    // LIMIT: size of an answer.
    const int MaxAnswer = 1 << 20;

    const string Rule = "data.talos.authz.decision";

    readonly HttpClient _client;
    readonly Uri _address;
    readonly TimeSpan _deadline;
    readonly TimeProvider _clock;

    /// <param name="server">Base address of the server.</param>
    /// <param name="deadline">How long one answer may take.</param>
    /// <param name="handler">Where TLS and connections are configured; null uses the platform's.</param>
    /// <param name="clock">Measures the deadline.</param>
    public OutsideOpa(Uri server, TimeSpan deadline, HttpMessageHandler? handler = null, TimeProvider? clock = null)
    {
        _client = new HttpClient(handler ?? new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { MaxResponseContentBufferSize = MaxAnswer, Timeout = Timeout.InfiniteTimeSpan };
        _address = new Uri(server, "v1/data/talos/authz/decision");
        _deadline = deadline;
        _clock = clock ?? TimeProvider.System;
    }

    /// <summary>What is asked.</summary>
    public Uri Address => _address;

    public async Task<Decision> DecideAsync(AuthorizationInput input, CancellationToken cancellation)
    {
        try
        {
            using var expiry = new CancellationTokenSource(_deadline, _clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(expiry.Token, cancellation);
            string body = "{\"input\":" + ValueJson.Format(new InputDocument(input, input.RevocationAge is null ? RevocationKnowledge.Unknown : RevocationKnowledge.Current).Force()) + "}";
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using HttpResponseMessage answer = await _client.PostAsync(_address, content, either.Token).ConfigureAwait(false);
            if (!answer.IsSuccessStatusCode) return Failed($"it answers with status {(int)answer.StatusCode}");
            Value document = ValueJson.Parse(await answer.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false));
            string? id = (document.Get("decision_id") as StringValue)?.Text;
            return document.Get("result") is ObjectValue result ? DecisionReader.Read(result, "opa", id) : Failed("it gives no decision", id);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Failed($"it did not answer within {_deadline.TotalMilliseconds:F0} ms");
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or EvaluationException)
        {
            return Failed(e.Message);
        }
    }

    static Decision Failed(string why, string? id = null) => new(DecisionOutcome.Deny, "opa_failed", $"the OPA server could not decide: {why}", Rule, "opa") { DecisionId = id };

    public void Dispose() => _client.Dispose();
}
