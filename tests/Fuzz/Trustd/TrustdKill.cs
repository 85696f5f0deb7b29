using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Data.Sqlite;
using Talos.Api.Configuration;
using Talos.Api.Trust.V1;
using Talos.Audit;
using Talos.Pki;
using Talos.Trustd;

namespace Talos.Fuzz;

/// <summary>
/// `trustd-kill ROUNDS [DIRECTORY]`: a trustd process issues, revokes and walks through CA rollovers as fast as it can and is killed with SIGKILL at a
/// random moment, its start included, again and again over one state folder. After each round: every certificate that a caller got is on
/// the ledger and on the record as it is, no serial was used twice, every acknowledged revocation and step is there, and the authorities fit the phase.
/// </summary>
sealed class TrustdKill
{
    const int Callers = 8;

    readonly string directory;
    readonly Random random;
    readonly TokenSecret token = TokenSecret.Generate();
    readonly Lock gate = new();
    readonly Dictionary<string, byte[]> issued = [];
    readonly HashSet<string> revoked = [];
    readonly HashSet<string> reused = [];
    readonly Dictionary<string, int> kills = [];
    readonly HashSet<string> recorded = [];
    readonly HashSet<string> revokedOnRecord = [];
    ulong read;
    long steps;
    int answers;

    TrustdKill(string directory, int seed)
    {
        this.directory = directory;
        random = new Random(seed);
    }

    string State => Path.Combine(directory, "state");

    string Configuration => Path.Combine(directory, "trustd.yaml");

    public static Task<int> Child(string[] args) => TrustdProcess.RunAsync(["--config", args[0]]);

    public static async Task<int> Run(string[] args)
    {
        var rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 300;
        var directory = args.Length > 1 ? args[1] : Path.Combine(Path.GetTempPath(), $"talos-trustd-kill-{Environment.ProcessId}");
        Directory.CreateDirectory(directory);
        SQLitePCL.Batteries_V2.Init();
        try
        {
            return await new TrustdKill(directory, rounds).RunAsync(rounds);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    async Task<int> RunAsync(int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            // The last round ends in order: what was left undone has been done by then.
            var isLast = round == rounds - 1;
            var moment = await RoundAsync(round, isLast);
            kills[moment] = kills.GetValueOrDefault(moment) + 1;
            var wrong = Check(isLast);
            if (round % 50 == 49) Console.WriteLine($"{round + 1} rounds, {issued.Count} certificates");
            if (wrong is null) continue;
            Console.WriteLine($"round {round}, killed {moment}: {wrong}");
            Console.WriteLine("0 passed, 1 failed");
            return 1;
        }
        Console.WriteLine($"{rounds} rounds ({string.Join(", ", kills.Select(k => $"{k.Value} killed {k.Key}"))}): {issued.Count} certificates, {revoked.Count} revocations, {steps} steps of rollovers acknowledged; none lost, no serial twice");
        Console.WriteLine("1 passed, 0 failed");
        return 0;
    }

    async Task<string> RoundAsync(int round, bool isLast)
    {
        var port = FreePort();
        Configure(port);
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["trustd-kill-child", Configuration]) { RedirectStandardError = true, Environment = { ["DOTNET_TieredPGO"] = "0" } };
        using var child = Process.Start(start)!;
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var log = ReadAsync(child, listening);
        string moment;
        // One in six dies while it starts: that is when files follow the ledger.
        if (!isLast && round > 0 && random.Next(6) == 0)
        {
            await Task.WhenAny(listening.Task, log, Task.Delay(random.Next(900)));
            moment = "while starting";
        }
        else
        {
            await Task.WhenAny(listening.Task, log);
            if (!listening.Task.IsCompleted) throw new InvalidOperationException($"round {round}: trustd did not start: {await log}");
            moment = await WorkAsync(port, isLast ? 120 : 1 + random.Next(200));
        }
        if (isLast) Process.Start("kill", ["-TERM", child.Id.ToString(CultureInfo.InvariantCulture)]).WaitForExit();
        else child.Kill();
        await child.WaitForExitAsync();
        await log;
        return isLast ? "not at all" : moment;
    }

    static async Task<string> ReadAsync(Process child, TaskCompletionSource listening)
    {
        var text = "";
        while (await child.StandardError.ReadLineAsync() is { } line)
        {
            if (line.Contains("listening on", StringComparison.Ordinal)) listening.TrySetResult();
            else text = line;
        }
        return text;
    }

    /// <summary>Returns once so many answers came; calls are still under way then.</summary>
    async Task<string> WorkAsync(int port, int until)
    {
        using var ending = new CancellationTokenSource();
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate) answers = 0;
        using var stranger = Connect(port, null);
        var (certificate, key) = await AdministratorAsync(stranger);
        using var own = certificate.CopyWithPrivateKey(key);
        using var channel = Connect(port, own);
        var client = new TrustService.TrustServiceClient(channel);
        var last = "while issuing";
        var work = Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            try
            {
                while (!ending.IsCancellationRequested)
                {
                    if (caller == 0) await RotateAsync(client);
                    else if (caller == 1) await RevokeAsync(client);
                    else await IssueAsync(client, caller);
                    lock (gate)
                    {
                        last = caller switch { 0 => "after a step", 1 => "after a revocation", _ => "while issuing" };
                        if (++answers >= until) enough.TrySetResult();
                    }
                }
            }
            // Refused, killed or cut off by a forced step: what counts is what was acknowledged.
            catch (RpcException)
            {
            }
        })).ToArray();
        await Task.WhenAny(enough.Task, Task.WhenAll(work));
        await ending.CancelAsync();
        lock (gate) return last;
    }

    async Task<(X509Certificate2, System.Security.Cryptography.ECDsa)> AdministratorAsync(GrpcChannel stranger)
    {
        var request = CertificateSigningRequest.Create("alice");
        var answer = await new TrustService.TrustServiceClient(stranger).IssueClientAsync(new IssueClientRequest { Csr = ByteString.CopyFrom(request.Der.Span), Token = token.Reveal() });
        Keep(answer);
        return (X509CertificateLoader.LoadCertificate(answer.Certificate.Span), request.Key);
    }

    async Task IssueAsync(TrustService.TrustServiceClient client, int caller)
    {
        using var request = CertificateSigningRequest.Create($"p{caller}");
        Keep(await client.IssueClientAsync(new IssueClientRequest { Csr = ByteString.CopyFrom(request.Der.Span), Name = $"p{caller}", Roles = { "os:reader" } }));
    }

    async Task RevokeAsync(TrustService.TrustServiceClient client)
    {
        string? serial;
        lock (gate) serial = issued.Where(i => !revoked.Contains(i.Key) && Certificate.Parse(i.Value).Require().Subject.CommonNames[0] != "alice").Select(i => i.Key).LastOrDefault();
        if (serial is null)
        {
            await client.CertificateListAsync(new CertificateListRequest());
            return;
        }
        var answer = await client.CertificateRevokeAsync(new CertificateRevokeRequest { Serial = serial, Reason = "killed" });
        lock (gate) revoked.UnionWith(answer.Serials);
    }

    async Task RotateAsync(TrustService.TrustServiceClient client)
    {
        var status = await client.AuthorityStatusAsync(new AuthorityStatusRequest());
        // Now and then a step back; else the next one, which for the last needs force: people's certificates of the old authority are still valid.
        var back = random.Next(4) == 0 && status.BackSafe;
        if (!back && !status.Safe && status.Next == AuthorityStep.Activate) return;
        var request = new AuthorityRotateRequest { Step = back ? AuthorityStep.Back : status.Next, Force = status.Next == AuthorityStep.Retire && !back };
        var answer = await client.AuthorityRotateAsync(request);
        lock (gate) steps = Math.Max(steps, answer.Events.Count == 200 ? steps + 1 : answer.Events.Count);
    }

    void Keep(CertificateResponse answer)
    {
        var certificate = Certificate.Parse(answer.Certificate.Span).Require();
        lock (gate)
            if (!issued.TryAdd(certificate.Serial, certificate.Der.ToArray())) reused.Add(certificate.Serial);
    }

    string? Check(bool isLast)
    {
        if (reused.Count > 0) return $"serial {reused.First()} was used twice";
        using var connection = new SqliteConnection($"Data Source={Path.Combine(State, "ledger.db")};Pooling=False");
        connection.Open();
        var ledger = Read(connection, "SELECT c.serial, i.der FROM certificates c JOIN issued i ON i.id = c.id").ToDictionary(r => (string)r[0], r => (byte[])r[1]);
        foreach (var (serial, der) in issued)
            if (!ledger.TryGetValue(serial, out var kept) || !kept.AsSpan().SequenceEqual(der)) return $"certificate {serial} left and is not on the ledger";
        var taken = Read(connection, "SELECT serial FROM revocations").Select(r => (string)r[0]).ToHashSet();
        if (revoked.FirstOrDefault(serial => !taken.Contains(serial)) is { } forgotten) return $"the revocation of {forgotten} is lost";
        if (CheckAuthorities(connection, isLast) is { } wrong) return wrong;
        return CheckRecord(isLast, isLast ? taken : []);
    }

    string? CheckAuthorities(SqliteConnection connection, bool isLast)
    {
        var made = Read(connection, "SELECT phase, on_record FROM rollover_steps ORDER BY sequence DESC");
        if (made.Count < steps) return $"{steps} steps were acknowledged and {made.Count} are on the ledger";
        if (isLast && made.Any(s => (long)s[1] == 0)) return "a step is not on the record";
        // Prepared 1, trusted 2, signing 3: oldest first.
        var states = string.Concat(Read(connection, "SELECT state FROM authorities WHERE state IN (1, 2, 3) ORDER BY generation").Select(r => r[0]));
        var expected = (made.Count == 0 ? 0 : (long)made[0][0]) switch { 0 => "3", 1 => "31", 2 => "32", _ => "23" };
        if (states != expected) return $"the authorities are `{states}`, the phase says `{expected}`";
        if (expected == "3" && isLast && NextKey() is { } next && Read(connection, "SELECT certificate FROM authorities").Any(a => Certificate.Parse((byte[])a[0]).Require().PublicKey.Der.Span.SequenceEqual(next)))
            return "the key of an authority that was given up is left";
        // What was signed for the next authority holds exactly while that has not been given up (5).
        var wanted = "EXISTS (SELECT 1 FROM authorities a WHERE a.by_previous = i.der AND a.state <> 5)";
        var successors = "SELECT c.serial FROM certificates c JOIN issued i ON i.id = c.id WHERE c.basis = 'rollover' AND";
        if (Read(connection, $"{successors} c.revoked_at IS NOT NULL AND {wanted}").Count > 0) return "the certificate of an authority that was not given up is revoked";
        if (isLast && Read(connection, $"{successors} c.revoked_at IS NULL AND NOT {wanted}").Count > 0) return "a certificate of an authority that was given up is not revoked";
        // Nothing was signed by an authority before it was trusted or after it was retired: each certificate names one that the ledger knows.
        return Read(connection, "SELECT 1 FROM certificates WHERE authority NOT IN (SELECT generation FROM authorities)").Count == 0 ? null : "a certificate is of an unknown authority";
    }

    byte[]? NextKey()
    {
        var file = Path.Combine(State, "ca.next.key");
        if (!File.Exists(file)) return null;
        using var key = System.Security.Cryptography.ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(file));
        return key.ExportSubjectPublicKeyInfo();
    }

    string? CheckRecord(bool isLast, IEnumerable<string> taken)
    {
        using var signer = Ed25519CheckpointSigner.LoadOrCreate(Path.Combine(State, "audit.key"), "demo/cp-1/trustd");
        using var record = AuditLog.Open(Path.Combine(State, "audit"), new AuditLogOptions { Signer = signer, Node = "cp-1" });
        if (isLast)
        {
            // What earlier rounds found must still be there.
            read = 0;
            recorded.Clear();
            revokedOnRecord.Clear();
        }
        foreach (var entry in record.Read(read, long.MaxValue))
        {
            read = entry.Index + 1;
            if (entry.Entry.Kind == EntryKind.CertificateIssued && entry.Entry.Details.TryGetValue("serial", out var serial)) recorded.Add(serial);
            if (entry.Entry.Kind == EntryKind.CertificateRevoked) revokedOnRecord.Add(entry.Entry.Details["serial"]);
        }
        if (taken.FirstOrDefault(serial => !revokedOnRecord.Contains(serial)) is { } untold) return $"certificate {untold} was revoked and that is not on the record";
        return issued.Keys.FirstOrDefault(serial => !recorded.Contains(serial)) is { } missing ? $"certificate {missing} left and is not on the record" : null;
    }

    static List<object[]> Read(SqliteConnection connection, string query)
    {
        using var command = connection.CreateCommand();
        command.CommandText = query;
        using var reader = command.ExecuteReader();
        List<object[]> rows = [];
        while (reader.Read())
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }
        return rows;
    }

    void Configure(int port)
    {
        var known = BootstrapToken.ForClient(token, "alice", ["os:admin"], DateTimeOffset.UtcNow.AddHours(12));
        File.WriteAllText(Configuration, new TrustdConfiguration
        {
            Cluster = "demo",
            Node = "cp-1",
            Listen = new Talos.Api.Configuration.Endpoint("127.0.0.1", port),
            State = State,
            Policy = Path.Combine(Root(), "policy/bundle"),
            Names = ["127.0.0.1"],
            Bootstrap = [new BootstrapToken { Id = known.Id, Verifier = known.Verifier, Discovery = known.Discovery, Use = known.Use, Name = known.Name, Roles = known.Roles, Expires = known.Expires, Uses = 100_000 }],
        }.ToYaml());
    }

    static GrpcChannel Connect(int port, X509Certificate2? certificate) => GrpcChannel.ForAddress($"https://127.0.0.1:{port}", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, null, offline: true),
                // Who answers is the child that was started; what is looked at here is what it keeps.
                RemoteCertificateValidationCallback = (_, server, _, _) => server is not null,
            },
        },
        DisposeHttpClient = true,
    });

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Talos.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Talos.sln is in no folder above");
    }
}
