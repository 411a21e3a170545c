// What the files of this target know of one another.

#ifndef ANTECHAMBER_CREQUESTBENCH_INTERNAL_H
#define ANTECHAMBER_CREQUESTBENCH_INTERNAL_H

#include "CRequestBench.h"

#include <stdbool.h>

// Whether allocations of this thread count from now on; returns whether they did before. The totals are only touched
// by the thread that counts.
bool allocations_count(bool counting);
extern uint64_t allocations_total, openssl_allocations_total;

typedef enum { PEERS_IDLE, PEERS_ACTED, PEERS_DONE } peers_state;

void peers_begin(const requestbench_case *what, uint16_t port, int backend);
// Lets the client and the backend do what they can without waiting.
peers_state peers_step(void);
// Requests that were answered so far.
int peers_answered(void);
// Lets a proxy have something to do that waits for the client.
void peers_wake(uint16_t port);
void peers_end(void);

_Noreturn void requestbench_fail(const char *format, ...);

#endif
