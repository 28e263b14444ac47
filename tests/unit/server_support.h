/* SPDX-License-Identifier: Apache-2.0 */
/* A server of one worker for a single function, and a client of it that
 * speaks text. */
#ifndef VOLO_TESTS_UNIT_SERVER_SUPPORT_H
#define VOLO_TESTS_UNIT_SERVER_SUPPORT_H

#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* Not started yet: options may be set. */
static inline volo_server *
server_of(volo_service_fn fn, void *user, const char *address)
{
    volo_service *service;
    volo_server *server;

    assert_int_equal(volo_service_new(&service, fn, user, NULL), 0);
    assert_int_equal(volo_server_new(&server, service), 0);
    volo_service_unref(service);
    assert_int_equal(volo_server_set(server, VOLO_SERVER_WORKERS, 1), 0);
    assert_int_equal(volo_server_bind(server, address), 0);
    return server;
}

/* In good order. */
static inline void
stop_and_wait(volo_server *server)
{
    volo_server_stop(server);
    assert_int_equal(volo_server_wait(server), 0);
}

/* -1 if nobody listens. */
static inline int
try_dial(int port, int room)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (room)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr)) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline int
dial_port(int port)
{
    int fd = try_dial(port, 0);

    assert_true(fd >= 0);
    return fd;
}

static inline int
dial_with(volo_server *server, int room)
{
    int fd = try_dial(volo_server_port(server, 0), room);

    assert_true(fd >= 0);
    return fd;
}

static inline int
dial(volo_server *server)
{
    return dial_port(volo_server_port(server, 0));
}

static inline void
say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Read until ${end} has come ${n} times, or (NULL) to the end of the
 * connection. */
static inline char *
hear(int fd, const char *end, int n)
{
    static char got[65536];
    size_t len = 0;
    ssize_t more;
    char *at;
    int seen;

    for (;;) {
        got[len] = 0;
        seen = 0;
        for (at = got; end && (at = strstr(at, end)); at += strlen(end))
            seen++;
        if (end && seen >= n)
            return got;
        more = read(fd, got + len, sizeof got - 1 - len);
        if (more <= 0)
            return got;
        len += (size_t)more;
    }
}

/* How the connection ends, whatever comes before: 0 in good order, or what
 * errno says. */
static inline int
end_of(int fd)
{
    char got[65536];
    ssize_t n;

    do
        n = read(fd, got, sizeof got);
    while (n > 0);
    return n < 0 ? errno : 0;
}

static inline void
wait_for(_Atomic int *what, int n)
{
    while (*what < n)
        usleep(200);
}

#endif
