// What the Glibc module of Swift leaves out or cannot express: epoll (a packed struct with a union), accept4
// (behind _GNU_SOURCE), calls that are variadic or macros in C. Each function is the system call of the same
// name and keeps its contract: -1 and errno on failure.
//
// Only fixed-size integers here and no system header: what glibc declares depends on _GNU_SOURCE, and Swift's
// own Glibc module has been built without it, so that a shared declaration would exist twice in two shapes.

#ifndef ANTECHAMBER_CLINUX_H
#define ANTECHAMBER_CLINUX_H

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
int clinux_epoll_add_level(int epoll, int fd, uint32_t events, uint64_t tag);
int clinux_epoll_modify_level(int epoll, int fd, uint32_t events, uint64_t tag);
int clinux_epoll_remove(int epoll, int fd);
// At most 128 events a call; `out` must have room for `capacity`.
int clinux_epoll_wait(int epoll, clinux_event *out, int capacity, int timeout_ms);

// Non-blocking, closed on exec.
int clinux_eventfd(void);
// `peer` is a struct sockaddr_storage. The socket is non-blocking and closed on exec.
int clinux_accept(int fd, void *peer);
// A stream socket, non-blocking and closed on exec.
int clinux_socket(int family);
int clinux_set_option(int fd, int level, int option, int value);
// recv and send (without SIGPIPE), but no cancellation points: in a process with threads glibc makes each of them one,
// with two atomic operations around the call. Nobody cancels a thread here.
int64_t clinux_receive(int fd, void *bytes, uint64_t count);
int64_t clinux_send(int fd, const void *bytes, uint64_t count);
// The pending error of a socket (0: none), or errno where it cannot be read.
int clinux_socket_error(int fd);

// CPUs this process may run on (sched_getaffinity), or 1 where the call fails.
int clinux_cpu_count(void);
// The process's environment; NULL ends it. Swift cannot name the global, which is mutable.
char **clinux_environment(void);
// The bound on open descriptors, or 0 where it cannot be read.
uint64_t clinux_descriptor_limit(void);
// Raises the bound on open descriptors to the hard limit; returns what it is then, or 0 where it cannot be read.
uint64_t clinux_raise_descriptor_limit(void);
// Has malloc keep no more than so many arenas, of those that it has yet to make.
void clinux_limit_arenas(int count);

#endif
