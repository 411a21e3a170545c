// What the Glibc module of Swift leaves out or cannot express: epoll (a packed struct with a union),
// accept4 and pipe2 (behind _GNU_SOURCE), and calls that are variadic in C. Each function is the
// system call of the same name and keeps its contract: -1 and errno on failure.

#ifndef ANTECHAMBER_CLINUX_H
#define ANTECHAMBER_CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// One readiness report: `tag` is what the descriptor was registered with.
typedef struct {
    uint32_t events;
    uint64_t tag;
} clinux_event;

enum {
    CLINUX_IN = EPOLLIN,
    CLINUX_OUT = EPOLLOUT,
    CLINUX_RDHUP = EPOLLRDHUP,
    CLINUX_HUP = EPOLLHUP,
    CLINUX_ERR = EPOLLERR,
};

static inline int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

// Registers once, edge-triggered, for both directions: no call is needed when interest changes.
static inline int clinux_epoll_add_edge(int epoll, int fd, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
    event.data.u64 = tag;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

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

static inline int clinux_accept(int fd, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    return accept4(fd, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline int clinux_socket(int family) {
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static inline int clinux_set_option(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value);
}

// The pending error of a socket (0: none), or errno where it cannot be read.
static inline int clinux_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

// CPUs this process may run on (sched_getaffinity), or 1 where the call fails.
static inline int clinux_cpu_count(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

#endif
