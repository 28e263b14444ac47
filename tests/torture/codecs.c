/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec, fed octets in memory, and a whole server in steps.  Without
 * memory a connection may end without an answer; nothing else is excused.
 */
#include "torture.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/memory_server.h"

static void
echo_read(volo_cx *cx, int err, volo_str body, void *user)
{
    (void)user;
    if (err)
        volo_reply_error(cx, err);
    else
        volo_reply_bytes(cx, "text/plain", body);
}

static void
echo(volo_cx *cx, void *user)
{
    volo_cx_read_body(cx, echo_read, user);
}

static int
play_octets(const char *text, size_t step)
{
    static struct memory_server m;
    volo_service *service;
    size_t at, len = strlen(text);
    int err = volo_service_new(&service, echo, NULL, NULL);

    if (err)
        return err;
    err = memory_open(&m, service);
    if (!err) {
        for (at = 0; at < len; at += step)
            memory_ask(&m, text + at, len - at < step ? len - at : step);
        err = m.left ? 0 : VOLO_ENOMEM;
        memory_close(&m);
    }
    volo_service_unref(service);
    return err;
}

#define HOST "Host: localhost\r\n"

static int
play_pipelined(void)
{
    return play_octets("GET /a HTTP/1.1\r\n" HOST "\r\n"
                       "POST /b HTTP/1.1\r\n" HOST
                       "Content-Length: 5\r\n\r\nhello"
                       "GET /c?d=e HTTP/1.1\r\n" HOST "X: y\r\n\r\n",
                       1000);
}

static int
play_chunked(void)
{
    return play_octets("POST /b HTTP/1.1\r\n" HOST
                       "Transfer-Encoding: chunked\r\n\r\n"
                       "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n",
                       3);
}

static int
play_malformed(void)
{
    return play_octets("GET /a HTTP/1.1\r\n" HOST "Bad : x\r\n\r\n", 1000);
}

/* ---- A server in steps --------------------------------------------------- */

static int
connect_to(int port)
{
    struct sockaddr_in addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    memset(&addr, 0, sizeof addr);
    addr.sin_family = AF_INET;
    addr.sin_port = htons((uint16_t)port);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (void *)&addr, sizeof addr))
        torture_fail("no connection");
    return fd;
}

/* Wait for the answer, or the end of the connection. */
static int
ask(volo_server *server, int fd)
{
    static const char text[] = "GET / HTTP/1.1\r\n" HOST "\r\n";
    char answer[512];
    ssize_t n = -1;
    int tries;

    if (send(fd, text, sizeof text - 1, MSG_NOSIGNAL) < 0)
        return VOLO_ENOMEM;
    for (tries = 0; n < 0 && tries < 200; tries++) {
        if (volo_server_step(server, 5) < 0)
            torture_fail("a step that is none");
        n = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            n = 0;
    }
    if (n < 0)
        torture_fail("neither an answer nor an end");
    return n > 12 && !memcmp(answer + 9, "200", 3) ? 0 : VOLO_ENOMEM;
}

static int
serve(volo_server *server)
{
    int fd, err = volo_server_bind(server, "127.0.0.1:0");

    if (!err)
        err = volo_server_open(server);
    if (err)
        return err;
    fd = connect_to(volo_server_port(server, 0));
    err = ask(server, fd);
    close(fd);
    return err;
}

static int
play_server(void)
{
    volo_service *service;
    volo_server *server;
    int err = volo_service_new(&service, echo, NULL, NULL);

    if (err)
        return err;
    err = volo_server_new(&server, service);
    if (!err) {
        err = serve(server);
        volo_server_free(server);
    }
    volo_service_unref(service);
    return err;
}

const struct torture_scenario torture_codecs[] = {
    {"pipelined requests", play_pipelined},
    {"a chunked body, three octets at a time", play_chunked},
    {"a malformed request", play_malformed},
    {"a server", play_server},
    {NULL, NULL},
};
