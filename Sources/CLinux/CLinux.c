#define _GNU_SOURCE

#include "CLinux.h"

#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(CLINUX_IN == EPOLLIN && CLINUX_OUT == EPOLLOUT, "epoll's bits");
_Static_assert(CLINUX_ERR == EPOLLERR && CLINUX_HUP == EPOLLHUP && CLINUX_RDHUP == EPOLLRDHUP, "epoll's bits");

#define BATCH 128

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return epoll_ctl(epoll, operation, fd, &event);
}

int clinux_epoll_add_edge(int epoll, int fd, uint64_t tag) {
    return control(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, tag);
}

int clinux_epoll_add_level(int epoll, int fd, uint32_t events, uint64_t tag) {
    return control(epoll, EPOLL_CTL_ADD, fd, events, tag);
}

int clinux_epoll_modify_level(int epoll, int fd, uint32_t events, uint64_t tag) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, tag);
}

int clinux_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int64_t clinux_receive(int fd, void *bytes, uint64_t count) {
    return syscall(SYS_recvfrom, fd, bytes, count, 0, NULL, NULL);
}

int64_t clinux_send(int fd, const void *bytes, uint64_t count) {
    return syscall(SYS_sendto, fd, bytes, count, MSG_NOSIGNAL, NULL, 0);
}

int clinux_epoll_wait(int epoll, clinux_event *out, int capacity, int timeout_ms) {
    struct epoll_event events[BATCH];
    int count = epoll_wait(epoll, events, capacity < BATCH ? capacity : BATCH, timeout_ms);
    for (int i = 0; i < count; i++) {
        out[i].events = events[i].events;
        out[i].tag = events[i].data.u64;
    }
    return count;
}

int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int clinux_accept(int fd, void *peer) {
    socklen_t length = sizeof(struct sockaddr_storage);
    return accept4(fd, peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_socket(int family) { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

int clinux_set_option(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value);
}

int clinux_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

int clinux_cpu_count(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

char **clinux_environment(void) { return environ; }

uint64_t clinux_descriptor_limit(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

uint64_t clinux_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    }
    return limit.rlim_cur;
}

void clinux_limit_arenas(int count) {
    mallopt(M_ARENA_MAX, count);
}
