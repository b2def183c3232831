/* Preloaded into a service under test: its wall clock stands as many milliseconds ahead (or, negative, behind) as the eight bytes of the file $CLOCK_STEP say,
 * which may change at any moment, as when an administrator or NTP sets the clock. CLOCK_MONOTONIC goes on.
 *   cc -shared -fPIC -o clock_step.so clock_step.c; CLOCK_STEP=FILE LD_PRELOAD=./clock_step.so crmsync serve */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t *step_ms; /* NULL: none */

__attribute__((constructor)) static void find_step(void)
{
    const char *path = getenv("CLOCK_STEP");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *step_ms, PROT_READ, MAP_SHARED, fd, 0);

    step_ms = mapped == MAP_FAILED ? NULL : mapped;
    if (fd >= 0) {
        close(fd);
    }
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    int failed = (int)syscall(SYS_clock_gettime, id, ret);

    if (!failed && step_ms && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t ns = ret->tv_nsec + *step_ms % 1000 * 1000000;

        ret->tv_sec += *step_ms / 1000 + (ns < 0 ? -1 : ns / 1000000000);
        ret->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
    }
    return failed;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);

    (void)zone;
    ret->tv_sec = now.tv_sec;
    ret->tv_usec = now.tv_nsec / 1000;
    return failed;
}

time_t time(time_t *ret)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (ret) {
        *ret = now.tv_sec;
    }
    return now.tv_sec;
}
