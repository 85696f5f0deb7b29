using Talos.Audit;

namespace Talos.Audit.Tests;

// A log in a directory of its own, which goes with it.
sealed class LogFolder : IDisposable
{
    public LogFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "talos-audit-" + Guid.NewGuid().ToString("N"));

    public Ed25519CheckpointSigner Signer { get; } = Ed25519CheckpointSigner.Create("node-1.example/audit");

    public AuditLog Open(TimeProvider? time = null, Guid? boot = null) => AuditLog.Open(System.IO.Path.Combine(Path, "log"), new AuditLogOptions
    {
        Signer = Signer,
        Node = "node-1",
        BootId = boot ?? new Guid("11111111-2222-3333-4444-555555555555"),
        TimeProvider = time ?? TimeProvider.System,
        CheckpointInterval = TimeSpan.FromHours(1),
    });

    public string LogPath => System.IO.Path.Combine(Path, "log");

    public void Dispose() => Directory.Delete(Path, recursive: true);

    public static Entry Opened(int i) => new()
    {
        Kind = EntryKind.CallOpened,
        Method = "/talos.machine.v1.MachineService/Version",
        Caller = new Caller { Name = "alice", Roles = { "os:reader" }, Serial = "0a1b", SourceAddress = "10.0.0.7:4711" },
        Details = { ["n"] = i.ToString(System.Globalization.CultureInfo.InvariantCulture), ["a"] = "b" },
    };
}
