// The worker's waits, and its clock.

#define _GNU_SOURCE

#include "internal.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
int requestbench_can_collect(void) { return 1; }
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(name) (void)(name)
int requestbench_can_collect(void) { return 0; }
#endif

// From one wait of the worker to the next: about what a request takes.
#define STEP_NANOSECONDS 25000
#define PATIENCE_MILLISECONDS 10000

static const requestbench_case *current;
static requestbench_counts *result;
static sem_t finished;
// A case is to be run by the first worker that waits.
static atomic_bool is_armed;

// This thread is the worker, until the case has run.
static _Thread_local bool is_worker;
// Its epoll set.
static int worker_epoll;
static bool is_measuring;
static struct timespec monotonic, wall;
static uint64_t wakeups;

static void advance(struct timespec *time) {
    time->tv_nsec += STEP_NANOSECONDS;
    if (time->tv_nsec >= 1000000000) {
        time->tv_nsec -= 1000000000;
        time->tv_sec++;
    }
}

static void begin_measuring(void) {
    is_measuring = true;
    allocations_total = 0;
    openssl_allocations_total = 0;
    wakeups = 0;
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
}

static void end_measuring(void) {
    is_measuring = false;
    CALLGRIND_DUMP_STATS_AT(current->name);
    CALLGRIND_STOP_INSTRUMENTATION;
    result->allocations = allocations_total;
    result->openssl_allocations = openssl_allocations_total;
    result->wakeups = wakeups;
}

// Waits as the worker wants to, or lets the peers act until there is something for it to do.
static int wait_or_act(struct epoll_event *events, int capacity) {
    int idle = 0;
    for (;;) {
        int count = epoll_pwait(worker_epoll, events, capacity, 0, NULL);
        if (count != 0) return count;
        peers_state state = peers_step();
        if (!is_measuring && peers_answered() == current->warm_up) begin_measuring();
        if (state == PEERS_DONE) {
            end_measuring();
            peers_end();
            is_worker = false;
            sem_post(&finished);
            return 0;
        }
        if (state == PEERS_ACTED) {
            idle = 0;
            continue;
        }
        // The kernel is not done yet with what was sent.
        if (++idle > PATIENCE_MILLISECONDS)
            requestbench_fail("%s: no answer after %d requests", current->name, peers_answered());
        count = epoll_pwait(worker_epoll, events, capacity, 1, NULL);
        if (count != 0) return count;
    }
}

int epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout) {
    // Of all in the process only a worker waits for a short while.
    if (!is_worker && timeout > 0 && atomic_exchange(&is_armed, false)) {
        worker_epoll = epoll;
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &monotonic);
        syscall(SYS_clock_gettime, CLOCK_REALTIME, &wall);
        is_worker = true;
    }
    if (!is_worker || epoll != worker_epoll) return epoll_pwait(epoll, events, capacity, timeout, NULL);
    if (is_measuring) {
        CALLGRIND_TOGGLE_COLLECT;
        allocations_count(false);
    }
    int count = wait_or_act(events, capacity);
    advance(&monotonic);
    advance(&wall);
    wakeups++;
    if (is_measuring) {
        allocations_count(true);
        CALLGRIND_TOGGLE_COLLECT;
    }
    return count;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    static _Atomic(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)) real;
    if (!real) real = dlsym(RTLD_NEXT, "pthread_create");
    bool counting = allocations_count(false);
    if (counting) CALLGRIND_TOGGLE_COLLECT;
    int outcome = real(thread, attributes, start, argument);
    if (counting) CALLGRIND_TOGGLE_COLLECT;
    allocations_count(counting);
    return outcome;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!is_worker || (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME))
        return (int)syscall(SYS_clock_gettime, clock, time);
    *time = clock == CLOCK_MONOTONIC ? monotonic : wall;
    return 0;
}

void requestbench_run(const requestbench_case *what, uint16_t port, int backend, requestbench_counts *counts) {
    current = what;
    result = counts;
    sem_init(&finished, 0, 0);
    peers_begin(what, port, backend);
    atomic_store(&is_armed, true);
    peers_wake(port);
    while (sem_wait(&finished) != 0) {}
}
