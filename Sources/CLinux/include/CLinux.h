// What the Glibc module of Swift leaves out or cannot express: epoll (a packed struct with a union),
// accept4 (behind _GNU_SOURCE, see CLinux.c), and calls that are variadic in C. Each function is the
// system call of the same name and keeps its contract: -1 and errno on failure.

#ifndef ANTECHAMBER_CLINUX_H
#define ANTECHAMBER_CLINUX_H

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>

// One readiness report: `tag` is what the descriptor was registered with.
typedef struct {
    uint32_t events;
    uint64_t tag;
} clinux_event;

enum {
    CLINUX_IN = 0x001,
    CLINUX_OUT = 0x004,
    CLINUX_ERR = 0x008,
    CLINUX_HUP = 0x010,
    CLINUX_RDHUP = 0x2000,
};

int clinux_epoll_create(void);
// Registers once, edge-triggered, for both directions: no call is needed when interest changes.
int clinux_epoll_add_edge(int epoll, int fd, uint64_t tag);
// Level-triggered with an explicit interest, for listeners and for libcurl's sockets.
static inline int clinux_epoll_add_level(int epoll, int fd, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events};
    event.data.u64 = tag;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static inline int clinux_epoll_modify_level(int epoll, int fd, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events};
    event.data.u64 = tag;
    return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

static inline int clinux_epoll_remove(int epoll, int fd) {
    struct epoll_event unused = {0};
    return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &unused);
}

// At most 128 events a call; the caller's array must have room for `capacity`.
static inline int clinux_epoll_wait(int epoll, clinux_event *out, int capacity, int timeout_ms) {
    struct epoll_event events[128];
    int count = epoll_wait(epoll, events, capacity < 128 ? capacity : 128, timeout_ms);
    for (int i = 0; i < count; i++) {
        out[i].events = events[i].events;
        out[i].tag = events[i].data.u64;
    }
    return count;
}

static inline int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// accept4 with SOCK_NONBLOCK and SOCK_CLOEXEC.
int clinux_accept(int fd, struct sockaddr_storage *peer);

static inline int clinux_socket(int family) {
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static inline int clinux_set_option(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value);
}

// Non-blocking, closed on exec.
int clinux_eventfd(void);
// `peer` is a struct sockaddr_storage. The socket is non-blocking and closed on exec.
int clinux_accept(int fd, void *peer);
// A stream socket, non-blocking and closed on exec.
int clinux_socket(int family);
int clinux_set_option(int fd, int level, int option, int value);
// The pending error of a socket (0: none), or errno where it cannot be read.
int clinux_socket_error(int fd);

// CPUs this process may run on (sched_getaffinity), or 1 where the call fails.
int clinux_cpu_count(void);

#endif
