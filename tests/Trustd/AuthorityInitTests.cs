using System.Diagnostics;
using System.Security.Cryptography;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Pki;
using Talos.Trustd.Authority;
using Xunit;

namespace Talos.Trustd.Tests;

/// <summary>Authorities that trustd does not make itself, with openssl as the keeper of the offline root.</summary>
public sealed class AuthorityInitTests : IAsyncLifetime
{
    readonly string folder = Directory.CreateTempSubdirectory("talos-init-").FullName;
    RunningTrustd? trustd;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (trustd is not null) await trustd.DisposeAsync();
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Serves_under_an_offline_root_and_takes_the_next_intermediate_while_stopped()
    {
        MakeRoot("root");
        await AuthorityInit.RequestAsync(Configuration(), At("ca.csr"), TimeProvider.System);
        // Started too early, it must not make a root of its own beside the request.
        Assert.Contains("waits for its certificate", (await Assert.ThrowsAsync<AuthorityException>(() => RunningTrustd.StartAsync(folder))).Message, StringComparison.Ordinal);
        Sign("root", "ca.csr", "ca.pem");
        await AuthorityInit.FinishAsync(Configuration(), At("ca.pem"), TimeProvider.System, default);

        trustd = await RunningTrustd.StartAsync(folder);
        trustd.Trust = File.ReadAllText(At("root.crt"));
        using var csr = CertificateSigningRequest.Create("alice");
        var answer = await trustd.Stranger().IssueClientAsync(new IssueClientRequest { Csr = Google.Protobuf.ByteString.CopyFrom(csr.Der.Span), Token = trustd.AdministratorToken.Reveal() });
        Assert.Single(answer.Intermediates);
        Assert.Equal(Certificate.Parse(File.ReadAllBytes(At("root.crt"))).Require().ToPem(), answer.BundlePem);
        var administrator = trustd.As(answer, csr);
        var before = await administrator.AuthorityStatusAsync(new AuthorityStatusRequest());
        await RunningTrustd.RefusedAsync(administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Prepare }), "rollover-outside");

        await trustd.RestartAsync(() =>
        {
            AuthorityInit.RequestAsync(Configuration(), At("next.csr"), TimeProvider.System).GetAwaiter().GetResult();
            Sign("root", "next.csr", "next.pem");
            AuthorityInit.FinishAsync(Configuration(), At("next.pem"), TimeProvider.System, default).GetAwaiter().GetResult();
        });
        // The administrator's certificate is of the first intermediate, whose root is trusted as before.
        var after = await trustd.As(answer, csr).AuthorityStatusAsync(new AuthorityStatusRequest());
        Assert.Equal(["signing", "retired"], after.Authorities.Select(a => a.State));
        Assert.Equal(before.BundlePem, after.BundlePem);
        Assert.Equal(AuthorityStep.Replace, after.Events[0].Step);
    }

    [Fact]
    public async Task Takes_an_authority_that_exists()
    {
        MakeRoot("own");
        await AuthorityInit.TakeOverAsync(Configuration(), At("own.key"), At("own.crt"), TimeProvider.System, default);
        trustd = await RunningTrustd.StartAsync(folder);
        var administrator = await trustd.AdministratorAsync();
        Assert.Equal("signing", Assert.Single((await administrator.AuthorityStatusAsync(new AuthorityStatusRequest())).Authorities).State);
        // A root that allows authorities below it can hand over like one of our own.
        Assert.Equal(AuthorityPhase.Prepared, (await administrator.AuthorityRotateAsync(new AuthorityRotateRequest { Step = AuthorityStep.Prepare })).Phase);
    }

    [Fact]
    public async Task Rejects_a_key_that_others_can_read_one_that_does_not_belong_and_a_certificate_that_is_no_authority_s()
    {
        MakeRoot("own");
        MakeRoot("other");
        await RejectsAsync(At("other.key"), At("own.crt"), "does not belong");
        File.SetUnixFileMode(At("own.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        await RejectsAsync(At("own.key"), At("own.crt"), "0600");
        OpenSsl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=leaf", "-keyout", At("leaf.key"), "-out", At("leaf.crt"), "-addext", "basicConstraints=critical,CA:FALSE");
        File.SetUnixFileMode(At("leaf.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await RejectsAsync(At("leaf.key"), At("leaf.crt"), "not one of an authority");
        Assert.False(File.Exists(Path.Combine(folder, "state/ca.key")));
        Assert.False(File.Exists(Path.Combine(folder, "state/ca.next.key")));
    }

    [Fact]
    public async Task Rejects_a_certificate_whose_constraints_exclude_the_cluster_and_one_without_its_root()
    {
        MakeRoot("root");
        await AuthorityInit.RequestAsync(Configuration(), At("ca.csr"), TimeProvider.System);
        Sign("root", "ca.csr", "ca.pem", "nameConstraints=critical,permitted;URI:elsewhere");
        var refusal = await Assert.ThrowsAsync<AuthorityException>(() => AuthorityInit.FinishAsync(Configuration(), At("ca.pem"), TimeProvider.System, default));
        Assert.Contains("ca.pem", refusal.Message, StringComparison.Ordinal);
        Sign("root", "ca.csr", "ca.pem");
        File.WriteAllText(At("bare.pem"), Certificate.ParseBundle(File.ReadAllBytes(At("ca.pem"))).Require().Certificates[0].ToPem());
        refusal = await Assert.ThrowsAsync<AuthorityException>(() => AuthorityInit.FinishAsync(Configuration(), At("bare.pem"), TimeProvider.System, default));
        Assert.Contains("holds no root", refusal.Message, StringComparison.Ordinal);
        // Neither refusal has cost the key.
        await AuthorityInit.FinishAsync(Configuration(), At("ca.pem"), TimeProvider.System, default);
    }

    async Task RejectsAsync(string key, string certificate, string words)
    {
        var refusal = await Assert.ThrowsAsync<AuthorityException>(() => AuthorityInit.TakeOverAsync(Configuration(), key, certificate, TimeProvider.System, default));
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
    }

    void MakeRoot(string name)
    {
        OpenSsl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", $"/O=offline/CN={name}",
            "-keyout", At($"{name}.key"), "-out", At($"{name}.crt"), "-addext", "keyUsage=critical,keyCertSign,cRLSign");
        File.SetUnixFileMode(At($"{name}.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    void Sign(string root, string csr, string to, string? constraints = null)
    {
        var extensions = At("extensions");
        File.WriteAllText(extensions, constraints is null ? "" : $"basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n{constraints}\n");
        OpenSsl(["x509", "-req", "-in", At(csr), "-CA", At($"{root}.crt"), "-CAkey", At($"{root}.key"), "-CAcreateserial", "-days", "20", "-out", At(to),
            .. constraints is null ? ["-copy_extensions", "copy"] : (string[])["-extfile", extensions]]);
        File.AppendAllText(At(to), File.ReadAllText(At($"{root}.crt")));
    }

    static void OpenSsl(params string[] arguments)
    {
        var start = new ProcessStartInfo("openssl") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
    }

    string At(string name) => Path.Combine(folder, name);

    TrustdConfiguration Configuration() => new() { Cluster = "demo", Node = "cp-1", Listen = new Endpoint("127.0.0.1", 1), State = At("state"), Policy = "/" };
}
