/* Ends its process with SIGKILL at one certain sync to the disk.
 *
 * Loaded by LD_PRELOAD. KILL_AT=N: the N-th fsync or fdatasync of the process, whichever thread calls it, counted from 1.
 * KILL_WHEN=before or after: whether that sync is still made. KILL_REPORT: a file that is told the number and the name of
 * the call. The variables are taken out of the environment, so that children are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long count;
static long kill_at;
static int after, report = -1;
static pid_t counted;
static int (*real_fsync)(int), (*real_fdatasync)(int);

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("KILL_AT"), *when = getenv("KILL_WHEN"), *path = getenv("KILL_REPORT");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    if (at != NULL && path != NULL) {
        kill_at = atol(at);
        after = when != NULL && strcmp(when, "after") == 0;
        report = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        counted = getpid();
    }
    unsetenv("KILL_AT");
    unsetenv("KILL_WHEN");
    unsetenv("KILL_REPORT");
    unsetenv("LD_PRELOAD");
}

static void end(long number, const char *name) {
    dprintf(report, "%ld %s\n", number, name);
    kill(counted, SIGKILL);
    for (;;)
        pause(); /* the signal may reach another thread first: nothing more is done in this one */
}

static int sync_or_end(int (*real)(int), const char *name, int descriptor) {
    long number = getpid() == counted ? atomic_fetch_add(&count, 1) + 1 : 0;
    if (number == 0 || number != kill_at)
        return real(descriptor);
    if (after)
        real(descriptor);
    end(number, name);
    return -1;
}

int fsync(int descriptor) { return sync_or_end(real_fsync, "fsync", descriptor); }

int fdatasync(int descriptor) { return sync_or_end(real_fdatasync, "fdatasync", descriptor); }
