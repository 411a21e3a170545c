// Preloaded into a child of a scenario: moves the wall clock by as many seconds as the file WALL_CLOCK_FILE holds at the
// moment, an int64_t, and leaves the monotonic one alone. As an operator or NTP does, for one process.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_seconds;

__attribute__((constructor)) static void map_offset(void)
{
    const char *path = getenv("WALL_CLOCK_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) abort();
    void *bytes = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (bytes == MAP_FAILED) abort();
    close(file);
    offset_seconds = bytes;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int status = syscall(SYS_clock_gettime, clock, time);
    if (status == 0 && offset_seconds && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time->tv_sec += *offset_seconds;
    return status;
}
