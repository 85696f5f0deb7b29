/*
 * What the archives of NativeAOT and of the allocator expect and musl lacks or does differently. They are built for glibc; the
 * executables are linked statically to musl. Tested by tests/AotSelfTest against the linked result.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* glibc's CPU_ALLOC and CPU_FREE are functions; in musl they are macros. */
void *__sched_cpualloc(size_t count) { return calloc(1, (count + 63) / 64 * 8); }
void __sched_cpufree(void *set) { free(set); }

/*
 * Linked with --wrap=strerror_r: libSystem.Native was compiled against the GNU variant, which returns a string. musl has
 * the POSIX one, which returns a number: used as a pointer, it is a crash on the first failed system call.
 */
int __xpg_strerror_r(int, char *, size_t);
char *__wrap_strerror_r(int error, char *buffer, size_t size)
{
    __xpg_strerror_r(error, buffer, size);
    return buffer;
}

/*
 * Linked with --wrap=pthread_getattr_np: for the main thread musl reports the part of the stack that is mapped so far,
 * not what it may grow to. RuntimeHelpers.EnsureSufficientExecutionStack would then fail at once.
 */
int __real_pthread_getattr_np(pthread_t, pthread_attr_t *);
int __wrap_pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    int result = __real_pthread_getattr_np(thread, attributes);
    void *low;
    size_t mapped, limit = 8 << 20;
    struct rlimit stack;

    if (result || getpid() != gettid() || !pthread_equal(thread, pthread_self()) ||
        pthread_attr_getstack(attributes, &low, &mapped))
        return result;
    if (!getrlimit(RLIMIT_STACK, &stack) && stack.rlim_cur < limit)
        limit = stack.rlim_cur;
    return limit > mapped ? pthread_attr_setstack(attributes, (char *)low + mapped - limit, limit) : 0;
}

/*
 * The 64-bit file interface of glibc under its own names. musl's functions are 64-bit always; up to 1.2.3 it offers these
 * names too, later versions dropped them from the static library.
 */
int __xstat64(int version, const char *path, struct stat *result) { (void)version; return stat(path, result); }
int __lxstat64(int version, const char *path, struct stat *result) { (void)version; return lstat(path, result); }
int __fxstat64(int version, int file, struct stat *result) { (void)version; return fstat(file, result); }

/* A jump, not a C function: it passes variable arguments (open64) on untouched. */
#define ALIAS(name, target) \
    __asm__(".text\n.globl " #name "\n.type " #name ",@function\n" #name ":\n jmp " #target "@PLT\n");
ALIAS(fallocate64, fallocate)
ALIAS(fopen64, fopen)
ALIAS(fstatfs64, fstatfs)
ALIAS(ftruncate64, ftruncate)
ALIAS(getrlimit64, getrlimit)
ALIAS(lseek64, lseek)
ALIAS(mkstemps64, mkstemps)
ALIAS(mmap64, mmap)
ALIAS(open64, open)
ALIAS(posix_fadvise64, posix_fadvise)
ALIAS(pread64, pread)
ALIAS(preadv64, preadv)
ALIAS(pwrite64, pwrite)
ALIAS(pwritev64, pwritev)
ALIAS(readdir64, readdir)
ALIAS(sendfile64, sendfile)
ALIAS(setrlimit64, setrlimit)
ALIAS(statfs64, statfs)

/* glibc's names for calls that were compiled with _FORTIFY_SOURCE, and for C23's strtol. The compiler counted the room; it is held to here as there. */
void *__memcpy_chk(void *to, const void *from, size_t count, size_t room)
{
    if (count > room)
        abort();
    return memcpy(to, from, count);
}
int __open_2(const char *path, int flags) { return open(path, flags); }
int __vfprintf_chk(FILE *file, int flag, const char *format, va_list values) { (void)flag; return vfprintf(file, format, values); }
int __vsnprintf_chk(char *to, size_t count, int flag, size_t room, const char *format, va_list values)
{
    (void)flag;
    if (count > room)
        abort();
    return vsnprintf(to, count, format, values);
}
ALIAS(__isoc23_strtol, strtol)

/* The allocator would print a stack beside what it found. musl has no unwinder, and a report without a stack is one too. */
int backtrace(void **frames, int count) { (void)frames, (void)count; return 0; }
char **backtrace_symbols(void *const *frames, int count) { (void)frames, (void)count; return NULL; }

/*
 * The allocator's own settings (llvm.org/docs/ScudoHardenedAllocator.html). One allocation in some thousands stands before a guard page (GWP-ASan); the
 * signal of who runs into that page is .NET's, which ends the process as for any access that is not its own.
 */
const char *__scudo_default_options(void) { return "GWP_ASAN_InstallSignalHandlers=false"; }

/*
 * Linked with --wrap=SSL_CTX_new: an idle TLS connection keeps no buffer for a record. .NET does not ask for that, and OpenSSL holds 34 KB a
 * connection otherwise: half of what trustd has for each of a thousand nodes. Weak, since not every executable has TLS.
 */
#define SSL_CTRL_MODE 33
#define SSL_MODE_RELEASE_BUFFERS 0x10L
extern void *__real_SSL_CTX_new(const void *method) __attribute__((weak));
extern long SSL_CTX_ctrl(void *context, int command, long number, void *pointer) __attribute__((weak));
void *__wrap_SSL_CTX_new(const void *method)
{
    void *context = __real_SSL_CTX_new(method);
    if (context)
        SSL_CTX_ctrl(context, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, NULL);
    return context;
}
