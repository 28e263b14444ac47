/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that a client sends, written by hand into one stretch of octets. */
#ifndef VOLO_TESTS_WIRE_H2_FRAMES_H
#define VOLO_TESTS_WIRE_H2_FRAMES_H

#include <stdint.h>
#include <string.h>

enum { FRAMES_ROOM = 65536 };

struct frames {
    char text[FRAMES_ROOM];
    size_t len;
};

static inline void
frames_add(struct frames *f, int type, int flags, uint32_t id,
           const void *payload, size_t len)
{
    const uint8_t head[9] = {
        (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
        (uint8_t)type,        (uint8_t)flags,      (uint8_t)(id >> 24),
        (uint8_t)(id >> 16),  (uint8_t)(id >> 8),  (uint8_t)id};

    if (f->len + sizeof head + len > FRAMES_ROOM)
        return;
    memcpy(f->text + f->len, head, sizeof head);
    if (len)
        memcpy(f->text + f->len + sizeof head, payload, len);
    f->len += sizeof head + len;
}

/* The preface, and SETTINGS that ours are acked by. */
static inline void
frames_begin(struct frames *f)
{
    static const char magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    memcpy(f->text, magic, sizeof magic - 1);
    f->len = sizeof magic - 1;
    frames_add(f, 4, 0, 0, NULL, 0);
    frames_add(f, 4, 1, 0, NULL, 0);
}

/* A head of ":method" (2 GET, 3 POST), ":path" and more as given. */
static inline void
frames_ask(struct frames *f, uint32_t id, int method, const char *path,
           const char *more, size_t more_len, int flags)
{
    char block[4096] = {(char)(0x80 | method), (char)0x86, 0x04};
    size_t n = strlen(path);

    block[3] = (char)n;
    memcpy(block + 4, path, n);
    memcpy(block + 4 + n,
           "\x01\x01"
           "a",
           3);
    n += 7;
    if (more_len)
        memcpy(block + n, more, more_len);
    frames_add(f, 1, flags | 4, id, block, n + more_len);
}

#endif
