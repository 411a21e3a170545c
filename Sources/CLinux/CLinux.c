// What needs _GNU_SOURCE. The header must do without: the macro changes the members of types such as fd_set, and a
// Swift file that sees them both from here and from another C module does not compile.

#define _GNU_SOURCE

#include "CLinux.h"

#include <sched.h>

int clinux_accept(int fd, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    return accept4(fd, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_cpu_count(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}
