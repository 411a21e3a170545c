// The client and the backend: ready-made bytes over sockets of the loopback interface that never block.

#define _GNU_SOURCE

#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Room for the longest request and response.
#define ROOM (256 * 1024)

typedef struct {
    int fd;
    // What was received of the message at hand.
    uint8_t received[ROOM];
    size_t received_count;
    // What is left to send.
    requestbench_bytes unsent;
} peer;

static const requestbench_case *current;
static int listener;
static peer client, server;
static int answered;

void requestbench_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("RequestBench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static struct sockaddr_in loopback(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int requestbench_listen(uint16_t *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return -1;
    *port = ntohs(address.sin_port);
    return fd;
}

static void adopt(peer *peer, int fd) {
    peer->fd = fd;
    peer->received_count = 0;
    peer->unsent = (requestbench_bytes){0};
    int on = 1;
    if (fd >= 0) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void send_next_request(void) {
    client.unsent = current->requests[(size_t)answered % current->request_kinds];
}

// The kernel takes connections for a listener by itself.
static int connected(uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(port);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        requestbench_fail("%s: cannot connect to the proxy: %s", current->name, strerror(errno));
    return fd;
}

void peers_begin(const requestbench_case *what, uint16_t port, int backend) {
    current = what;
    listener = backend;
    answered = 0;
    adopt(&server, -1);
    adopt(&client, connected(port));
    send_next_request();
}

void peers_wake(uint16_t port) { close(connected(port)); }

void peers_end(void) {
    close(client.fd);
    if (server.fd >= 0) close(server.fd);
    close(listener);
}

int peers_answered(void) { return answered; }

static bool starts_with(const peer *peer, requestbench_bytes start) {
    return peer->received_count >= start.count && memcmp(peer->received, start.start, start.count) == 0;
}

static bool ends_with(const peer *peer, requestbench_bytes end) {
    return peer->received_count >= end.count &&
           memcmp(peer->received + peer->received_count - end.count, end.start, end.count) == 0;
}

// Whether anything was sent.
static bool send_some(peer *peer) {
    if (peer->unsent.count == 0) return false;
    ssize_t sent = send(peer->fd, peer->unsent.start, peer->unsent.count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) {
        if (errno == EAGAIN) return false;
        requestbench_fail("%s: send: %s", current->name, strerror(errno));
    }
    peer->unsent.start += sent;
    peer->unsent.count -= (size_t)sent;
    return true;
}

// Whether anything was received.
static bool receive_some(peer *peer) {
    if (peer->received_count == ROOM) requestbench_fail("%s: a message is too long", current->name);
    ssize_t got = recv(peer->fd, peer->received + peer->received_count, ROOM - peer->received_count, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0)
        requestbench_fail("%s: a connection ended after %d requests: %.*s", current->name, answered,
                          (int)peer->received_count, (const char *)peer->received);
    peer->received_count += (size_t)got;
    return true;
}

static bool backend_step(void) {
    bool acted = false;
    if (server.fd < 0) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) return false;
        adopt(&server, fd);
        acted = true;
    }
    acted |= receive_some(&server);
    if (ends_with(&server, current->request_end)) {
        server.received_count = 0;
        server.unsent = current->response;
    }
    return send_some(&server) || acted;
}

static bool client_step(void) {
    bool acted = receive_some(&client);
    if (ends_with(&client, current->response_end)) {
        if (!starts_with(&client, current->response_start))
            requestbench_fail("%s: an unexpected response: %.*s", current->name, (int)client.received_count,
                              (const char *)client.received);
        client.received_count = 0;
        answered++;
        if (current->pause_microseconds > 0) usleep((useconds_t)current->pause_microseconds);
        if (answered < current->warm_up + current->requests_counted) send_next_request();
    }
    return send_some(&client) || acted;
}

peers_state peers_step(void) {
    bool acted = backend_step();
    acted |= client_step();
    if (answered == current->warm_up + current->requests_counted) return PEERS_DONE;
    return acted ? PEERS_ACTED : PEERS_IDLE;
}
