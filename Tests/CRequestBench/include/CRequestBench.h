// What makes the cost of a request countable: the proxy's worker is a thread among others, on sockets, by a clock and
// beside a client and a backend. Here all that is taken out of its figures, and made the same each time.
//
// The C library's functions of these names are replaced in the process that links this target:
//
//   epoll_wait     where the worker would wait, the client and the backend take their turns, on its own thread. So
//                  there is one thing going on at a time, in one order, and no pause in which the worker gives its
//                  queue back
//   clock_gettime  for the worker, time goes on by the same step with each wait, so that its timers fire alike
//   malloc, calloc, realloc, posix_memalign, aligned_alloc
//                  count what the worker allocates between its waits
//   pthread_create in no figure: Dispatch starts a thread where it finds none that idles, which is a matter of timing
//
// Under valgrind's callgrind, instructions are collected between the worker's waits too, and dumped with the case's
// name. What the client and the backend do is in no figure.

#ifndef ANTECHAMBER_CREQUESTBENCH_H
#define ANTECHAMBER_CREQUESTBENCH_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *start;
    size_t count;
} requestbench_bytes;

// One kind of request, sent again and again over one connection, each when the last has been answered.
typedef struct {
    // For callgrind's dump.
    const char *name;
    // Sent in turn.
    const requestbench_bytes *requests;
    size_t request_kinds;
    // What a request ends with, as the backend gets it.
    requestbench_bytes request_end;
    // What the backend answers.
    requestbench_bytes response;
    // What a response begins and ends with, as the client gets it.
    requestbench_bytes response_start;
    requestbench_bytes response_end;
    // Requests before those that count.
    int warm_up;
    int requests_counted;
    // Between a request and the next, for what other threads have to do with it.
    int pause_microseconds;
} requestbench_case;

typedef struct {
    // By the worker, while the requests that count were on their way, but for OpenSSL's.
    uint64_t allocations;
    // OpenSSL's, by the worker: how many there are differs from version to version.
    uint64_t openssl_allocations;
    // Waits of the worker that ended with something to do.
    uint64_t wakeups;
} requestbench_counts;

// Has OpenSSL's allocations counted apart. Before anything else, as OpenSSL takes no such wish once it has allocated; 0
// where it has.
int requestbench_count_openssl_apart(void);
// Writes where the worker's allocations come from to standard error, of the first ones that count.
void requestbench_trace_allocations(int count);
// Whether this was built with valgrind's headers, and so can say what is to be collected.
int requestbench_can_collect(void);
// A listening socket on a free port of 127.0.0.1, for the backend; returns it, or -1.
int requestbench_listen(uint16_t *port);
// Runs a case against the proxy that listens on 127.0.0.1:`port` with one worker, and forwards to the socket `backend`.
// Returns when all requests are answered, and closes `backend`. A request without the answer that is expected, or
// without any for ten seconds, ends the process.
void requestbench_run(const requestbench_case *what, uint16_t port, int backend, requestbench_counts *counts);

#endif
