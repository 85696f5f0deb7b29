using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Talos.Policy.Tests;

public sealed class OutsideOpaTests
{
    sealed class Server(Func<string, HttpResponseMessage> answer) : HttpMessageHandler
    {
        public string Asked { get; private set; } = "";

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked = request.RequestUri!.AbsolutePath + " " + await request.Content!.ReadAsStringAsync(cancellationToken);
            return answer(Asked);
        }
    }

    static HttpResponseMessage Json(string body) => new(HttpStatusCode.OK) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    static async Task<Decision> Ask(Server server)
    {
        using var opa = new OutsideOpa(new Uri("http://opa.test/"), TimeSpan.FromSeconds(5), server);
        return await opa.DecideAsync(Shipped.Input("/talos.machine.v1.MachineService/Reboot", "os:admin"), CancellationToken.None);
    }

    [Fact]
    public async Task Accepts_a_decision_with_its_id_and_sends_the_whole_input()
    {
        var server = new Server(_ => Json("""{"decision_id": "d-1", "result": {"allow": true, "reason": "role_allowed", "sentence": "yes"}}"""));
        Decision decision = await Ask(server);
        Assert.Equal((DecisionOutcome.Allow, "role_allowed", "d-1"), (decision.Outcome, decision.ReasonId, decision.DecisionId));
        JsonNode input = JsonNode.Parse(server.Asked[server.Asked.IndexOf(' ', StringComparison.Ordinal)..])!["input"]!;
        Assert.StartsWith("/v1/data/talos/authz/decision ", server.Asked, StringComparison.Ordinal);
        Assert.Equal("alice", (string?)input["caller"]!["name"]);
        Assert.False((bool)input["node"]!["attested"]!);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"result": true}""")]
    [InlineData("""{"result": {"allow": "true"}}""")]
    [InlineData("not json")]
    public async Task Denies_what_is_no_clear_allow(string body) => Assert.Equal(DecisionOutcome.Deny, (await Ask(new Server(_ => Json(body)))).Outcome);

    [Fact]
    public async Task Denies_when_the_server_fails()
    {
        Assert.Equal("opa_failed", (await Ask(new Server(_ => new HttpResponseMessage(HttpStatusCode.InternalServerError)))).ReasonId);
        Assert.Equal("opa_failed", (await Ask(new Server(_ => throw new HttpRequestException("refused")))).ReasonId);
        Assert.Equal("opa_failed", (await Ask(new Server(_ => throw new OperationCanceledException()))).ReasonId);
    }
}
