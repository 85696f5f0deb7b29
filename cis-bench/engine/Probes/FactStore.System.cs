using System.Globalization;
using Talos.Linux;

namespace Talos.Checks.Probes;

sealed partial class FactStore
{
    TreeWalk? _tree;
    AccountTable? _accounts;
    MountTable? _mounts;
    ProcessTable? _processes;
    SocketTable? _sockets;
    ManifestTable? _manifests;
    readonly Dictionary<(uint User, uint Group), bool> _owners = [];
    readonly Dictionary<string, YamlFile> _yaml = new(StringComparer.Ordinal);

    public TreeWalk Tree => _tree ??= TreeWalk.Run(this, IsNode);

    public AccountTable Accounts => _accounts ??= AccountTable.Read(Files);

    public MountTable Mounts => _mounts ??= MountTable.Read(Files);

    public ProcessTable Processes => _processes ??= ProcessTable.Read(Files);

    public SocketTable Sockets => _sockets ??= SocketTable.Read(Files);

    public ManifestTable Manifests => _manifests ??= ManifestTable.Read(Files);

    public string OwnersTrouble => Accounts.PasswdTrouble.Length > 0 ? Accounts.PasswdTrouble : Accounts.GroupTrouble;

    public bool KnowsOwner(FileStatus status)
    {
        if (_owners.TryGetValue((status.UserId, status.GroupId), out var known)) return known;
        known = Accounts.Users.Any(u => u.UserId == status.UserId.ToString(CultureInfo.InvariantCulture))
            && Accounts.Groups.Any(g => g.GroupId == status.GroupId.ToString(CultureInfo.InvariantCulture));
        return _owners[(status.UserId, status.GroupId)] = known;
    }

    public YamlFile Yaml(string path)
    {
        if (!_yaml.TryGetValue(path, out var file)) _yaml.Add(path, file = YamlFile.Read(Files, path));
        return file;
    }
}
