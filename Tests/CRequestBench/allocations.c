// Counts what one thread allocates. glibc lets a program define these functions, and keeps its own under other names.

#define _GNU_SOURCE

#include "internal.h"

#include <execinfo.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

#define FRAMES 24

uint64_t allocations_total, openssl_allocations_total;
static _Thread_local bool counts;
static int traces_left;

bool allocations_count(bool counting) {
    bool before = counts;
    counts = counting;
    return before;
}

void requestbench_trace_allocations(int count) {
    traces_left = count;
    // The first backtrace of a process loads a library, and so allocates.
    void *frame;
    backtrace(&frame, 1);
}

static void trace(void) {
    void *frames[FRAMES];
    counts = false;
    traces_left--;
    int depth = backtrace(frames, FRAMES);
    backtrace_symbols_fd(frames + 2, depth - 2, STDERR_FILENO);
    (void)!write(STDERR_FILENO, "\n", 1);
    counts = true;
}

static inline void note(uint64_t *total) {
    if (!counts) return;
    ++*total;
    if (traces_left > 0) trace();
}

void *malloc(size_t size) {
    note(&allocations_total);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    note(&allocations_total);
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    note(&allocations_total);
    return __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note(&allocations_total);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    note(&allocations_total);
    void *made = __libc_memalign(alignment, size);
    if (!made) return ENOMEM;
    *block = made;
    return 0;
}

static void *openssl_malloc(size_t size, const char *file, int line) {
    (void)file, (void)line;
    note(&openssl_allocations_total);
    return __libc_malloc(size);
}

static void *openssl_realloc(void *block, size_t size, const char *file, int line) {
    (void)file, (void)line;
    note(&openssl_allocations_total);
    return __libc_realloc(block, size);
}

static void openssl_free(void *block, const char *file, int line) {
    (void)file, (void)line;
    __libc_free(block);
}

int requestbench_count_openssl_apart(void) {
    return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
}
