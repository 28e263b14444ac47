/* SPDX-License-Identifier: Apache-2.0 */
/* Both versions of the PROXY protocol, to the octet. */
#include "server/proxy.h"

#include <arpa/inet.h>
#include <string.h>

#include <volo/error.h>

#include "base/str.h"
#include "http/cx.h"
#include "server/peer.h"

enum {
    V2_HEAD = 16,
    V2_TCP4 = 12, /* two addresses, two ports */
    V2_TCP6 = 36,
    V2_UNIX = 216
};

/* ---- Version 1 ----------------------------------------------------------- */

/* What comes before the next space, or is left. */
static volo_str
next_word(volo_str *rest)
{
    const char *space = memchr(rest->ptr, ' ', rest->len);
    size_t len = space ? (size_t)(space - rest->ptr) : rest->len;
    volo_str word = volo_str_make(rest->ptr, len);

    if (space)
        len++;
    *rest = volo_str_make(rest->ptr + len, rest->len - len);
    return word;
}

static int
read_port(uint16_t *out, volo_str word)
{
    uint64_t n;

    if ((word.len > 1 && word.ptr[0] == '0') || volo__u64_parse(&n, word) ||
        n > UINT16_MAX)
        return VOLO_EPROTO;
    *out = (uint16_t)n;
    return 0;
}

/* "TCP4 client server port port", and nothing else. */
static int
read_line(struct volo__peer *peer, volo_str rest)
{
    volo_str kind = next_word(&rest);
    int family = volo_str_eq(kind, VOLO_STR("TCP4"))   ? AF_INET
                 : volo_str_eq(kind, VOLO_STR("TCP6")) ? AF_INET6
                                                       : 0;
    uint8_t client[16], server[16];
    uint16_t ours, theirs;

    if (volo_str_eq(kind, VOLO_STR("UNKNOWN")))
        return 0;
    if (!family || !volo__address_read(client, next_word(&rest), family) ||
        !volo__address_read(server, next_word(&rest), family) ||
        read_port(&theirs, next_word(&rest)) || read_port(&ours, rest))
        return VOLO_EPROTO;
    peer->port = theirs;
    if (family == AF_INET)
        volo__peer_set_v4(peer, client);
    else
        volo__peer_set_v6(peer, client);
    return 0;
}

static int
parse_v1(struct volo__peer *peer, const char *ptr, size_t len)
{
    static const char start[] = "PROXY ";
    size_t most = len < VOLO__PROXY_V1_LIMIT ? len : VOLO__PROXY_V1_LIMIT;
    size_t seen = most < sizeof start - 1 ? most : sizeof start - 1;
    const char *end;
    size_t line;

    if (memcmp(ptr, start, seen))
        return VOLO_EPROTO;
    end = memchr(ptr, '\n', most);
    if (!end)
        return most == VOLO__PROXY_V1_LIMIT ? VOLO_EPROTO : 0;
    line = (size_t)(end - ptr) + 1;
    if (line < sizeof start + 1 || end[-1] != '\r')
        return VOLO_EPROTO;
    if (read_line(peer, volo_str_make(ptr + sizeof start - 1,
                                      line - sizeof start - 1)))
        return VOLO_EPROTO;
    return (int)line;
}

/* ---- Version 2 ----------------------------------------------------------- */

/* The addresses in ${len} octets; what follows them does not concern us. */
static int
read_addresses(struct volo__peer *peer, unsigned kind, const char *ptr,
               size_t len)
{
    const unsigned char *port;

    switch (kind) {
    case 0x00: /* UNSPEC */
        return 0;
    case 0x11:
        if (len < V2_TCP4)
            return VOLO_EPROTO;
        volo__peer_set_v4(peer, ptr);
        port = (const unsigned char *)ptr + 8;
        break;
    case 0x21:
        if (len < V2_TCP6)
            return VOLO_EPROTO;
        volo__peer_set_v6(peer, ptr);
        port = (const unsigned char *)ptr + 32;
        break;
    case 0x31:
        if (len < V2_UNIX)
            return VOLO_EPROTO;
        memset(peer->addr, 0, sizeof peer->addr);
        peer->family = 1;
        peer->port = 0;
        return 0;
    default: /* datagrams do not come over a stream */
        return VOLO_EPROTO;
    }
    peer->port = (uint16_t)(port[0] << 8 | port[1]);
    return 0;
}

static int
parse_v2(struct volo__peer *peer, const char *ptr, size_t len)
{
    static const char start[] = "\r\n\r\n\0\r\nQUIT\n";
    const unsigned char *head = (const unsigned char *)ptr;
    size_t size;

    if (memcmp(ptr, start, len < 12 ? len : 12))
        return VOLO_EPROTO;
    /* Version 2, LOCAL or PROXY. */
    if (len > 12 && head[12] != 0x20 && head[12] != 0x21)
        return VOLO_EPROTO;
    if (len < V2_HEAD)
        return 0;
    size = V2_HEAD + ((size_t)head[14] << 8 | head[15]);
    if (size > VOLO__PROXY_V2_LIMIT)
        return VOLO_EPROTO;
    if (len < size)
        return 0;
    /* LOCAL: the proxy speaks for itself. */
    if (head[12] == 0x21 &&
        read_addresses(peer, head[13], ptr + V2_HEAD, size - V2_HEAD))
        return VOLO_EPROTO;
    return (int)size;
}

int
volo__proxy_parse(struct volo__peer *peer, const char *ptr, size_t len)
{
    if (!len)
        return 0;
    return ptr[0] == 'P' ? parse_v1(peer, ptr, len) : parse_v2(peer, ptr, len);
}
