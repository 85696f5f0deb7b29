using Talos.Linux.Supervision;

namespace Talos.Linux.Tests;

public sealed class ControlProtocolTests
{
    [Theory]
    [InlineData("list", ControlVerb.List, "")]
    [InlineData("start osd", ControlVerb.Start, "osd")]
    [InlineData("stop osd", ControlVerb.Stop, "osd")]
    [InlineData("restart trustd", ControlVerb.Restart, "trustd")]
    [InlineData("reboot", ControlVerb.Reboot, "")]
    [InlineData("poweroff", ControlVerb.PowerOff, "")]
    public void Accepts_requests(string line, ControlVerb verb, string service)
    {
        var request = ControlProtocol.ParseRequest(line, out var error);

        Assert.Equal(new ControlRequest(verb, service), request);
        Assert.Equal("", error);
        Assert.Equal(line, ControlProtocol.FormatRequest(request!));
    }

    [Fact]
    public void Accepts_a_timeout()
    {
        var request = ControlProtocol.ParseRequest("restart osd 20", out _);

        Assert.Equal(TimeSpan.FromSeconds(20), request!.StopTimeout);
        Assert.Equal("restart osd 20", ControlProtocol.FormatRequest(request));
        Assert.Equal("restart osd 1", ControlProtocol.FormatRequest(request with { StopTimeout = TimeSpan.FromMilliseconds(1) }));
    }

    [Theory]
    [InlineData("")]
    [InlineData("start")]
    [InlineData("start ")]
    [InlineData("start OSD")]
    [InlineData("start ../osd")]
    [InlineData("start osd now")]
    [InlineData("restart osd 0")]
    [InlineData("restart osd -1")]
    [InlineData("restart osd 99999999999999")]
    [InlineData("REBOOT")]
    [InlineData(" reboot")]
    public void Rejects_anything_else(string line)
    {
        Assert.Null(ControlProtocol.ParseRequest(line, out var error));
        Assert.StartsWith("expected `list`", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ServiceState.Waiting)]
    [InlineData(ServiceState.Running)]
    [InlineData(ServiceState.BackOff)]
    [InlineData(ServiceState.Stopping)]
    [InlineData(ServiceState.Stopped)]
    public void Carries_a_status_there_and_back(ServiceState state)
    {
        var status = new ServiceStatus("osd", state, 231, 2, DateTimeOffset.FromUnixTimeMilliseconds(1_234_567), "exited with code 3, next start in 2 s");

        Assert.Equal(status, ControlProtocol.ParseStatus(ControlProtocol.FormatStatus(status)));
    }

    [Theory]
    [InlineData("ok")]
    [InlineData("osd running 1 1 1")]
    [InlineData("osd flying 1 1 1 event")]
    [InlineData("osd running x 1 1 event")]
    [InlineData("osd running 1 1 9223372036854775807 event")]
    public void Rejects_what_is_no_status(string line) => Assert.Null(ControlProtocol.ParseStatus(line));
}
