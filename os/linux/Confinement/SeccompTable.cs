using static Talos.Linux.Native.CallNumber;

namespace Talos.Linux.Confinement;

/// <summary>
/// The rows that profiles are made of. Found by tracing the services while they start, serve, renew and stop, then argued
/// for group by group.
/// </summary>
static class SeccompTable
{
    // socket(2)
    const uint FamilyUnix = 1, FamilyInternet = 2, FamilyInternet6 = 10, FamilyNetlink = 16, FamilyPacket = 17;

    // clone(2): CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
    const uint NamespaceFlags = 0x00020000 | 0x7E000000;

    // mmap(2)
    const uint ProtectionWrite = 2, ProtectionExecute = 4;

    // prctl(2): PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_SET_VMA
    static readonly uint[] ProcessControls = [3, 4, 15, 16, 23, 0x53564d41];

    // ioctl(2): TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX; SIOCGIFCONF, FLAGS, MTU, HWADDR, INDEX and SIOCETHTOOL for listing interfaces
    static readonly uint[] DeviceControls =
        [0x5401, 0x5413, 0x541B, 0x5421, 0x5451, 0x8912, 0x8913, 0x8921, 0x8927, 0x8933, 0x8946];

    /// <summary>Netlink: the runtime lists interface addresses with it.</summary>
    internal static readonly uint[] ServiceSocketFamilies = [FamilyUnix, FamilyInternet, FamilyInternet6, FamilyNetlink];

    /// <summary>Packet: a DHCP client has no address yet.</summary>
    internal static readonly uint[] MachinedSocketFamilies = [.. ServiceSocketFamilies, FamilyPacket];

    sealed record Group(string Name, string Reason, params int[] Calls);

    static readonly Group[] AllowedGroups =
    [
        new("memory", "heaps and stacks; nothing is ever writable and executable at once",
            munmap, brk, mremap, madvise, mincore, msync, mlock, munlock, membarrier, get_mempolicy, memfd_create),
        new("threads", "the runtime's own threads and locks",
            futex, set_robust_list, get_robust_list, set_tid_address, rseq, gettid, sched_yield, sched_getaffinity, sched_setaffinity,
            sched_getparam, sched_getscheduler, sched_get_priority_max, sched_get_priority_min, getcpu, exit, exit_group, arch_prctl,
            restart_syscall),
        new("signals", "handlers the runtime installs; signals to itself to stop a thread for the collector",
            rt_sigaction, rt_sigprocmask, rt_sigreturn, rt_sigtimedwait, rt_sigsuspend, rt_sigpending, sigaltstack, tkill, tgkill,
            kill),
        new("time", "reading clocks and waiting; setting them is on the kill list",
            clock_gettime, clock_getres, clock_nanosleep, nanosleep, gettimeofday, time),
        new("files", "reading and writing what the view and the file modes give",
            read, write, readv, writev, pread64, pwrite64, preadv, pwritev, lseek, open, openat, openat2, close, close_range, dup,
            dup2, dup3, fcntl, flock, fsync, fdatasync, sync_file_range, ftruncate, fallocate, fadvise64, sendfile, copy_file_range),
        new("names", "the state directory: create, rename, remove, list",
            stat, fstat, lstat, newfstatat, statx, statfs, fstatfs, access, faccessat, faccessat2, getdents64, getcwd, chdir,
            readlink, readlinkat, mkdir, mkdirat, rmdir, unlink, unlinkat, rename, renameat, renameat2, link, linkat, chmod, fchmod,
            fchmodat, fchmodat2, umask, utimensat, inotify_init1, inotify_add_watch, inotify_rm_watch),
        new("readiness", "waiting for sockets and pipes",
            poll, ppoll, select, pselect6, epoll_create1, epoll_create, epoll_ctl, epoll_wait, epoll_pwait, eventfd2, eventfd, pipe,
            pipe2),
        new("connections", "on sockets; which families may be made has a row of its own",
            connect, accept, accept4, bind, listen, shutdown, getsockname, getpeername, getsockopt, setsockopt, sendto, sendmsg,
            sendmmsg, recvfrom, recvmsg, recvmmsg, socketpair),
        new("self", "what the runtime asks about its process and machine",
            getpid, getppid, getuid, geteuid, getgid, getegid, getresuid, getresgid, getgroups, getsid, getpgrp, getpgid, capget,
            getrlimit, prlimit64, getrusage, getpriority, uname, sysinfo, times, getrandom),
        new("start", "the launcher installs the filter before it executes the service; the view then holds no other executable",
            execve),
    ];

    static readonly Group[] KilledGroups =
    [
        new("other processes", "reading or steering them",
            ptrace, process_vm_readv, process_vm_writev, kcmp, pidfd_getfd, process_madvise),
        new("kernel code", "loading it",
            init_module, finit_module, delete_module, kexec_load, kexec_file_load, bpf),
        new("kernel surface", "rich in past exploits, and unused",
            userfaultfd, perf_event_open, io_uring_setup, io_uring_enter, io_uring_register, add_key, request_key, keyctl, vmsplice,
            modify_ldt, remap_file_pages),
        new("the view", "leaving or changing it",
            mount, umount2, pivot_root, chroot, unshare, setns, mount_setattr, move_mount, open_tree, fsopen, fsmount, fsconfig,
            fspick, open_by_handle_at, name_to_handle_at),
        new("the machine", "init ends it, the kernel keeps its clock",
            reboot, swapon, swapoff, sethostname, setdomainname, settimeofday, clock_settime, adjtimex, clock_adjtime, acct, quotactl,
            iopl, ioperm),
        new("identity", "taken before the filter was",
            setuid, setgid, setreuid, setregid, setresuid, setresgid, setgroups, setfsuid, setfsgid, capset),
    ];

    static readonly Group[] PrivilegedGroups =
    [
        new("state", "mounts the state file system and gives each service its directory",
            mount, umount2, chown, fchown, lchown, fchownat),
        new("machine", "host name and kernel log",
            sethostname, syslog),
        new("checks", "compliance looks whether a file carries capabilities",
            getxattr, lgetxattr, fgetxattr, listxattr, llistxattr, flistxattr),
    ];

    internal static IEnumerable<SeccompRule> Common => Rows(AllowedGroups, SeccompAction.Allow);

    internal static IEnumerable<SeccompRule> Privileged => Rows(PrivilegedGroups, SeccompAction.Allow);

    /// <summary>Calls that end the process, without those that <paramref name="allowed"/> allows.</summary>
    internal static IEnumerable<SeccompRule> Killed(IEnumerable<SeccompRule> allowed)
    {
        var exceptions = allowed.Select(rule => rule.Call).ToHashSet();
        return Rows(KilledGroups, SeccompAction.Kill).Where(rule => !exceptions.Contains(rule.Call));
    }

    /// <summary>Calls whose arguments matter.</summary>
    internal static IEnumerable<SeccompRule> Conditional(uint[] socketFamilies) =>
    [
        // New threads, never new namespaces.
        new(clone, SeccompAction.Allow, new ArgumentCondition(0, NamespaceFlags, 0)),
        // Its flags lie in memory, where a filter cannot look; the C library falls back to clone.
        new(clone3, SeccompAction.PretendMissing),
        // Never writable and executable at once: injected bytes stay data.
        new(mmap, SeccompAction.Allow, new ArgumentCondition(2, ProtectionWrite | ProtectionExecute, 0, ProtectionWrite, ProtectionExecute)),
        new(mprotect, SeccompAction.Allow, new ArgumentCondition(2, ProtectionWrite | ProtectionExecute, 0, ProtectionWrite, ProtectionExecute)),
        new(socket, SeccompAction.Allow, new ArgumentCondition(0, uint.MaxValue, socketFamilies)),
        new(prctl, SeccompAction.Allow, new ArgumentCondition(0, uint.MaxValue, ProcessControls)),
        new(ioctl, SeccompAction.Allow, new ArgumentCondition(1, uint.MaxValue, DeviceControls)),
    ];

    static IEnumerable<SeccompRule> Rows(Group[] groups, SeccompAction action) =>
        groups.SelectMany(group => group.Calls).Select(call => new SeccompRule(call, action));
}
