/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec, fed octets in memory.  Without memory a connection may end without
 * an answer; nothing else is excused.
 */
#include "torture.h"

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

const struct torture_scenario torture_codecs[] = {
    {"pipelined requests", play_pipelined},
    {"a chunked body, three octets at a time", play_chunked},
    {"a malformed request", play_malformed},
    {NULL, NULL},
};
