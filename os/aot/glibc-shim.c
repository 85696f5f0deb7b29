/*
 * What the NativeAOT archives expect and musl lacks or does differently. They are built for glibc; the executables are
 * linked statically to musl. Tested by tests/AotSelfTest against the linked result.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
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
