using System.Globalization;

namespace Talos.Checks.Probes;

sealed record UserAccount(string Name, string Password, string UserId, string GroupId, string Home, string Shell, int Line);

sealed record GroupAccount(string Name, string GroupId, int Line);

/// <summary>passwd(5), group(5) and shadow(5).</summary>
sealed class AccountTable
{
    // LIMIT: a directory of ten thousand users.
    const int MaxText = 1 << 20;

    public IReadOnlyList<UserAccount> Users { get; private set; } = [];

    public IReadOnlyList<GroupAccount> Groups { get; private set; } = [];

    public IReadOnlyList<(string Name, string Password, int Line)> Shadow { get; private set; } = [];

    public bool HasPasswd { get; private set; }

    public bool HasShadow { get; private set; }

    public string PasswdTrouble { get; private set; } = "";

    public string GroupTrouble { get; private set; } = "";

    public string ShadowTrouble { get; private set; } = "";

    public static AccountTable Read(RootFiles files)
    {
        var table = new AccountTable();
        (table.Users, table.HasPasswd, table.PasswdTrouble) = Fields(files, "/etc/passwd", 7, (f, n) => new UserAccount(f[0], f[1], f[2], f[3], f[5], f[6], n));
        (table.Groups, _, table.GroupTrouble) = Fields(files, "/etc/group", 4, (f, n) => new GroupAccount(f[0], f[2], n));
        (table.Shadow, table.HasShadow, table.ShadowTrouble) = Fields(files, "/etc/shadow", 9, (f, n) => (f[0], f[1], n));
        return table;
    }

    static (IReadOnlyList<T> Rows, bool Present, string Trouble) Fields<T>(RootFiles files, string path, int count, Func<string[], int, T> make)
    {
        var read = files.ReadText(path, MaxText);
        if (read.State != ReadingState.Present) return ([], false, read.Reason);
        var rows = new List<T>();
        var number = 0;
        foreach (var line in read.Text.Split('\n'))
        {
            number++;
            if (line.Length == 0) continue;
            var fields = line.Split(':');
            if (fields.Length != count) return ([], true, $"line {number.ToString(CultureInfo.InvariantCulture)} of {path} has {fields.Length} fields, not {count}");
            rows.Add(make(fields, number));
        }
        return (rows, true, "");
    }
}

/// <summary>Lists of accounts that have a trait: `account login-shells empty`.</summary>
static class AccountProbes
{
    static readonly string[] s_noLogin = ["/sbin/nologin", "/usr/sbin/nologin", "/bin/false", "/usr/bin/false", "/nonexistent", "/noshell"];

    public static readonly string[] Names =
        ["login-shells", "uid0", "no-password", "plain-password", "duplicate-uids", "duplicate-names", "duplicate-gids", "missing-groups", "missing-homes", "shadow-passwords"];

    public static Reading Read(FactStore facts, IReadOnlyList<string> arguments)
    {
        var accounts = facts.Accounts;
        var fromShadow = arguments[0] == "shadow-passwords";
        var trouble = fromShadow ? accounts.ShadowTrouble : accounts.PasswdTrouble;
        if (trouble.Length == 0 && arguments[0] is "duplicate-gids" or "missing-groups") trouble = accounts.GroupTrouble;
        if (trouble.Length > 0) return Reading.Unreadable(fromShadow ? "/etc/shadow" : "/etc/passwd", trouble);
        var users = accounts.Users;
        IEnumerable<(string Name, int Line)> found = arguments[0] switch
        {
            // passwd(5): an empty shell field means /bin/sh.
            "login-shells" => users.Where(u => !s_noLogin.Contains(u.Shell)).Select(u => (u.Name, u.Line)),
            "uid0" => users.Where(u => u.UserId == "0").Select(u => (u.Name, u.Line)),
            "no-password" => users.Where(u => u.Password.Length == 0).Select(u => (u.Name, u.Line)),
            "plain-password" => users.Where(u => u.Password is not ("" or "x" or "*" or "!" or "!!")).Select(u => (u.Name, u.Line)),
            "duplicate-uids" => users.GroupBy(u => u.UserId).Where(g => g.Count() > 1).SelectMany(g => g).Select(u => (u.Name, u.Line)),
            "duplicate-names" => users.GroupBy(u => u.Name).Where(g => g.Count() > 1).SelectMany(g => g).Select(u => (u.Name, u.Line)),
            "duplicate-gids" => accounts.Groups.GroupBy(u => u.GroupId).Where(g => g.Count() > 1).SelectMany(g => g).Select(u => (u.Name, u.Line)),
            "missing-groups" => users.Where(u => !accounts.Groups.Any(g => g.GroupId == u.GroupId)).Select(u => (u.Name, u.Line)),
            "missing-homes" => users.Where(u => u.UserId != "0" && IsHome(u.Home) && facts.Files.Status(u.Home, true, out _, out _) != ReadingState.Present).Select(u => (u.Name, u.Line)),
            "shadow-passwords" => accounts.Shadow.Where(s => s.Password is not ['!' or '*', ..]).Select(s => (s.Name, s.Line)),
            _ => throw new InvalidOperationException($"no account list `{arguments[0]}`"),
        };
        var file = fromShadow ? "/etc/shadow" : arguments[0] == "duplicate-gids" ? "/etc/group" : "/etc/passwd";
        return Reading.Of([.. found.Select(f => new Fact(f.Name, $"{file}:{f.Line.ToString(CultureInfo.InvariantCulture)}"))], file);
    }

    static bool IsHome(string path) => path is not ("" or "/" or "/nonexistent" or "/var/empty" or "/proc");
}
