namespace Talos.Linux.Native;

/// <summary>System calls that filters name. x86-64: arch/x86/entry/syscalls/syscall_64.tbl.</summary>
static class CallNumber
{
    internal const int
        getxattr = 191, lgetxattr = 192, fgetxattr = 193, listxattr = 194, llistxattr = 195, flistxattr = 196,
        accept = 43, accept4 = 288, access = 21, acct = 163, add_key = 248, adjtimex = 159, arch_prctl = 158, bind = 49, bpf = 321,
        brk = 12, capget = 125, capset = 126, chdir = 80, chmod = 90, chown = 92, chroot = 161, clock_adjtime = 305,
        clock_getres = 229, clock_gettime = 228, clock_nanosleep = 230, clock_settime = 227, clone = 56, clone3 = 435, close = 3,
        close_range = 436, connect = 42, copy_file_range = 326, delete_module = 176, dup = 32, dup2 = 33, dup3 = 292,
        epoll_create = 213, epoll_create1 = 291, epoll_ctl = 233, epoll_pwait = 281, epoll_wait = 232, eventfd = 284, eventfd2 = 290,
        execve = 59, exit = 60, exit_group = 231, faccessat = 269, faccessat2 = 439, fadvise64 = 221, fallocate = 285, fchmod = 91,
        fchmodat = 268, fchmodat2 = 452, fchown = 93, fchownat = 260, fcntl = 72, fdatasync = 75, finit_module = 313, flock = 73,
        fsconfig = 431, fsmount = 432, fsopen = 430, fspick = 433, fstat = 5, fstatfs = 138, fsync = 74, ftruncate = 77, futex = 202,
        get_mempolicy = 239, get_robust_list = 274, getcpu = 309, getcwd = 79, getdents64 = 217, getegid = 108, geteuid = 107,
        getgid = 104, getgroups = 115, getpeername = 52, getpgid = 121, getpgrp = 111, getpid = 39, getppid = 110, getpriority = 140,
        getrandom = 318, getresgid = 120, getresuid = 118, getrlimit = 97, getrusage = 98, getsid = 124, getsockname = 51,
        getsockopt = 55, gettid = 186, gettimeofday = 96, getuid = 102, init_module = 175, inotify_add_watch = 254,
        inotify_init1 = 294, inotify_rm_watch = 255, io_uring_enter = 426, io_uring_register = 427, io_uring_setup = 425, ioctl = 16,
        ioperm = 173, iopl = 172, kcmp = 312, kexec_file_load = 320, kexec_load = 246, keyctl = 250, kill = 62, lchown = 94,
        link = 86, linkat = 265, listen = 50, lseek = 8, lstat = 6, madvise = 28, membarrier = 324, memfd_create = 319, mincore = 27,
        mkdir = 83, mkdirat = 258, mlock = 149, mmap = 9, modify_ldt = 154, mount = 165, mount_setattr = 442, move_mount = 429,
        mprotect = 10, mremap = 25, msync = 26, munlock = 150, munmap = 11, name_to_handle_at = 303, nanosleep = 35, newfstatat = 262,
        open = 2, open_by_handle_at = 304, open_tree = 428, openat = 257, openat2 = 437, perf_event_open = 298, pidfd_getfd = 438,
        pipe = 22, pipe2 = 293, pivot_root = 155, poll = 7, ppoll = 271, prctl = 157, pread64 = 17, preadv = 295, prlimit64 = 302,
        process_madvise = 440, process_vm_readv = 310, process_vm_writev = 311, pselect6 = 270, ptrace = 101, pwrite64 = 18,
        pwritev = 296, quotactl = 179, read = 0, readlink = 89, readlinkat = 267, readv = 19, reboot = 169, recvfrom = 45,
        recvmmsg = 299, recvmsg = 47, remap_file_pages = 216, rename = 82, renameat = 264, renameat2 = 316, request_key = 249,
        restart_syscall = 219, rmdir = 84, rseq = 334, rt_sigaction = 13, rt_sigpending = 127, rt_sigprocmask = 14, rt_sigreturn = 15,
        rt_sigsuspend = 130, rt_sigtimedwait = 128, sched_get_priority_max = 146, sched_get_priority_min = 147,
        sched_getaffinity = 204, sched_getparam = 143, sched_getscheduler = 145, sched_setaffinity = 203, sched_yield = 24,
        select = 23, sendfile = 40, sendmmsg = 307, sendmsg = 46, sendto = 44, set_robust_list = 273, set_tid_address = 218,
        setdomainname = 171, setfsgid = 123, setfsuid = 122, setgid = 106, setgroups = 116, sethostname = 170, setns = 308,
        setpriority = 141, setregid = 114, setresgid = 119, setresuid = 117, setreuid = 113, setsockopt = 54, settimeofday = 164,
        setuid = 105, shutdown = 48, sigaltstack = 131, socket = 41, socketpair = 53, stat = 4, statfs = 137, statx = 332,
        swapoff = 168, swapon = 167, sync_file_range = 277, sysinfo = 99, syslog = 103, tgkill = 234, time = 201, times = 100,
        tkill = 200, umask = 95, umount2 = 166, uname = 63, unlink = 87, unlinkat = 263, unshare = 272, userfaultfd = 323,
        utimensat = 280, vmsplice = 278, write = 1, writev = 20;
}
