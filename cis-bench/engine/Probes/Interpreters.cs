using System.Text;
using Talos.Checks.Rules;

namespace Talos.Checks.Probes;

/// <summary>Programs that run what others write: shells, script languages, multi-call boxes. Known by name and, renamed, by content.</summary>
static class Interpreters
{
    static readonly string[] s_names =
    [
        "sh", "ash", "bash", "bash-*", "dash", "rbash", "zsh", "zsh-*", "zsh5", "ksh", "ksh93", "mksh", "lksh", "csh", "tcsh", "fish", "yash", "elvish", "nu",
        "pwsh", "busybox", "busybox.*", "toybox", "python", "python2*", "python3*", "pypy*", "perl", "perl5*", "ruby", "ruby2*", "ruby3*", "irb", "lua", "lua5*",
        "luajit*", "node", "nodejs", "deno", "bun", "php", "php7*", "php8*", "tclsh", "tclsh8*", "wish", "expect", "guile*", "awk", "gawk", "mawk", "nawk",
        "original-awk", "java", "mono", "dotnet", "gdb", "ed", "vi", "vim*", "emacs*", "R", "octave*", "erl", "iex", "elixir", "jshell", "osascript",
    ];

    // Texts that these programs carry: names of the variables they read or the banner they print.
    static readonly (string Name, byte[] Mark)[] s_marks =
    [
        Mark("busybox", "BusyBox is a multi-call binary"), Mark("toybox", "TOYBOX_"), Mark("bash", "GNU bash, version"), Mark("zsh", "ZSH_VERSION"),
        Mark("mksh", "MIRBSD KSH"), Mark("dash", "PS1=$ \0OPTIND=1"), Mark("dash", "OPTIND=1\0PS1="), Mark("python", "PYTHONHOME"), Mark("perl", "PERL5LIB"),
        Mark("ruby", "RUBYLIB"), Mark("lua", "LUA_PATH"), Mark("node", "NODE_OPTIONS"), Mark("php", "PHP_INI_SCAN_DIR"), Mark("tcl", "TCLLIBPATH"), Mark("awk", "AWKPATH"),
    ];

    public static bool IsInterpreterName(string name) => Array.Exists(s_names, p => Glob.Matches(p, name));

    /// <summary>The interpreter that an executable is by what it contains; empty when by none.</summary>
    public static string OfContent(ReadOnlySpan<byte> executable)
    {
        foreach (var (name, mark) in s_marks)
            if (executable.IndexOf(mark) >= 0) return name;
        return "";
    }

    /// <summary>The program of a `#!` line; empty when the file has none.</summary>
    public static string OfScript(ReadOnlySpan<byte> start)
    {
        if (start is not [(byte)'#', (byte)'!', ..]) return "";
        var end = start.IndexOf((byte)'\n');
        return Encoding.UTF8.GetString(end < 0 ? start[2..] : start[2..end]).Trim() is { Length: > 0 } line ? line : "(empty)";
    }

    // Kept as UTF-16 in our own executables, so that the checker does not take itself for what it looks for.
    static (string Name, byte[] Mark) Mark(string name, string mark) => (name, Encoding.ASCII.GetBytes(mark));
}
