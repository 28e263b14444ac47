/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer that finds the client behind trusted proxies.  Each proxy adds the
 * address it was called from at the right, so the list is believed from the
 * right, as far as it was written by proxies that are trusted.  What a client
 * wrote itself stands left of that and is never believed.
 */
#include <volo.h>

#include <arpa/inet.h>
#include <strings.h>

/* IPv4-mapped IPv6 addresses (RFC 4291 section 2.5.5.2) are kept as IPv4. */
struct address {
    int family; /* AF_INET, AF_INET6; 0 none */
    uint8_t octets[16];
};

struct network {
    struct address base;
    unsigned bits;
};

struct client_ip {
    char *header;
    int is_forwarded;
    int trusts_unix;
    size_t count;
    struct network networks[];
};

static int
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static volo_str
trim(volo_str s)
{
    while (s.len && is_blank(s.ptr[0]))
        s = volo_str_make(s.ptr + 1, s.len - 1);
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* ---- Addresses and networks ---------------------------------------------- */

static void
unmap(struct address *a)
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};

    if (a->family != AF_INET6 || memcmp(a->octets, prefix, 12))
        return;
    a->family = AF_INET;
    memmove(a->octets, a->octets + 12, 4);
    memset(a->octets + 4, 0, 12);
}

/* The address that ${s} is, mapped or not; 0 if it is none. */
static int
parse_raw(struct address *out, volo_str s)
{
    char text[INET6_ADDRSTRLEN];

    if (!s.len || s.len >= sizeof text || memchr(s.ptr, '\0', s.len))
        return 0;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    memset(out, 0, sizeof *out);
    out->family = memchr(s.ptr, ':', s.len) ? AF_INET6 : AF_INET;
    return inet_pton(out->family, text, out->octets) == 1;
}

static int
parse_address(struct address *out, volo_str s)
{
    if (!parse_raw(out, s))
        return 0;
    unmap(out);
    return 1;
}

/* A port, or what hides one (RFC 7239 section 6): ":" and more, or nothing. */
static int
is_port_or_nothing(volo_str s)
{
    size_t i;

    if (!s.len)
        return 1;
    if (s.ptr[0] != ':' || s.len < 2)
        return 0;
    if (s.ptr[1] == '_')
        return 1;
    for (i = 1; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return 0;
    return s.len <= 6;
}

/* An address as proxies write it: with brackets and a port, or without. */
static int
parse_node(struct address *out, volo_str s)
{
    const char *end;
    size_t len;

    if (s.len && s.ptr[0] == '[') {
        end = memchr(s.ptr, ']', s.len);
        if (!end)
            return 0;
        len = (size_t)(end - s.ptr);
        return is_port_or_nothing(volo_str_make(end + 1, s.len - len - 1)) &&
               memchr(s.ptr, ':', len) &&
               parse_address(out, volo_str_make(s.ptr + 1, len - 1));
    }

    /* One colon is before a port, more make an IPv6 address. */
    end = s.len ? memchr(s.ptr, ':', s.len) : NULL;
    if (end && !memchr(end + 1, ':', s.len - (size_t)(end + 1 - s.ptr))) {
        len = (size_t)(end - s.ptr);
        return is_port_or_nothing(volo_str_make(end, s.len - len)) &&
               parse_address(out, volo_str_make(s.ptr, len));
    }
    return parse_address(out, s);
}

static int
is_within(const struct network *network, const struct address *a)
{
    unsigned whole = network->bits / 8;
    unsigned rest = network->bits % 8;
    uint8_t differ;

    if (network->base.family != a->family ||
        memcmp(network->base.octets, a->octets, whole))
        return 0;
    if (!rest)
        return 1;
    differ = network->base.octets[whole] ^ a->octets[whole];
    return !(differ >> (8 - rest));
}

static int
is_trusted(const struct client_ip *layer, const struct address *a)
{
    size_t i;

    for (i = 0; i < layer->count; i++)
        if (is_within(&layer->networks[i], a))
            return 1;
    return 0;
}

/* ---- The walk ------------------------------------------------------------ */

/*
 * What the walk from the right would end at, kept up to date from the left so
 * that nothing need be stored: behind an address that is not trusted, or that
 * nobody can read, what stands left of it does not matter.
 */
static void
walk_step(const struct client_ip *layer, struct address *found, volo_str node)
{
    struct address a;

    if (!parse_node(&a, node))
        found->family = 0;
    else if (!found->family || !is_trusted(layer, &a))
        *found = a;
}

/* X-Forwarded-For, or a field with one address. */
static void
walk_list(const struct client_ip *layer, struct address *found, volo_str line)
{
    size_t at = 0;

    while (at <= line.len) {
        const char *comma = memchr(line.ptr + at, ',', line.len - at);
        size_t end = comma ? (size_t)(comma - line.ptr) : line.len;
        volo_str node = trim(volo_str_make(line.ptr + at, end - at));

        if (node.len)
            walk_step(layer, found, node);
        at = end + 1;
    }
}

/* ---- RFC 7239 ------------------------------------------------------------ */

enum { NODE_ROOM = 64 }; /* an address, a port and some to spare */

/* One element of Forwarded: what its "for" says. */
struct element {
    int pairs;
    int fors;
    size_t len; /* NODE_ROOM + 1: it is too long to be an address */
    char node[NODE_ROOM];
};

static void
node_put(struct element *e, char c)
{
    if (e->len < NODE_ROOM)
        e->node[e->len] = c;
    if (e->len <= NODE_ROOM)
        e->len++;
}

/* The value at ${i}, to ${e} if that is not NULL.  Returns its end, 0 if it
 * is malformed. */
static size_t
read_value(volo_str s, size_t i, struct element *e)
{
    size_t start = i;

    if (i < s.len && s.ptr[i] != '"') {
        /* Not only tokens: many write a port or brackets without quotes. */
        for (; i < s.len && !strchr(",;\" \t", s.ptr[i]); i++)
            if (e)
                node_put(e, s.ptr[i]);
        return i > start ? i : 0;
    }
    for (i++; i < s.len && s.ptr[i] != '"'; i++) {
        if (s.ptr[i] == '\\' && ++i == s.len)
            return 0;
        if (e)
            node_put(e, s.ptr[i]);
    }
    return i < s.len ? i + 1 : 0;
}

static size_t
skip_blanks(volo_str s, size_t i)
{
    while (i < s.len && is_blank(s.ptr[i]))
        i++;
    return i;
}

/* The pair at ${i}.  Returns what is behind it and its blanks, 0 if it is
 * malformed. */
static size_t
read_pair(volo_str s, size_t i, struct element *e)
{
    size_t start = i;
    int is_for;

    while (i < s.len && !strchr("=,;\" \t", s.ptr[i]))
        i++;
    if (i == start || i == s.len || s.ptr[i] != '=')
        return 0;
    is_for = i - start == 3 && !strncasecmp(s.ptr + start, "for", 3);
    e->pairs++;
    e->fors += is_for;
    i = read_value(s, i + 1, is_for ? e : NULL);
    if (!i)
        return 0;
    i = skip_blanks(s, i);
    return i == s.len || s.ptr[i] == ';' || s.ptr[i] == ',' ? i : 0;
}

/* The element at ${i}.  Returns its end, at a comma or the line's; 0 if it is
 * malformed. */
static size_t
read_element(volo_str s, size_t i, struct element *e)
{
    e->pairs = 0;
    e->fors = 0;
    e->len = 0;
    for (;;) {
        i = skip_blanks(s, i);
        if (i < s.len && s.ptr[i] != ';' && s.ptr[i] != ',') {
            i = read_pair(s, i, e);
            if (!i)
                return 0;
        }
        if (i == s.len || s.ptr[i] == ',')
            return i;
        i++;
    }
}

static void
walk_forwarded(const struct client_ip *layer, struct address *found,
               volo_str line)
{
    struct element e;
    size_t i = 0;

    while (i < line.len) {
        size_t end = read_element(line, i, &e);

        /* With a quote too many, nobody can say whose words the rest of the
         * line are. */
        if (!end && line.ptr[i] != ',') {
            found->family = 0;
            return;
        }
        if (e.fors == 1 && e.len <= NODE_ROOM)
            walk_step(layer, found, volo_str_make(e.node, e.len));
        else if (e.pairs)
            found->family = 0;
        i = end + 1;
    }
}

/* ---- The layer ----------------------------------------------------------- */

static int
is_named(volo_str name, const char *wanted)
{
    return volo_str_eq(name, volo_str_of(wanted));
}

static void
walk(const struct client_ip *layer, struct address *found, const volo_cx *cx)
{
    size_t count = volo_cx_header_count(cx);
    size_t i;
    volo_str name, value;

    found->family = 0;
    for (i = 0; i < count; i++) {
        volo_cx_header_at(cx, i, &name, &value);
        if (!is_named(name, layer->header))
            continue;
        if (layer->is_forwarded)
            walk_forwarded(layer, found, value);
        else
            walk_list(layer, found, value);
    }
}

static int
trusts_peer(const struct client_ip *layer, volo_cx *cx)
{
    volo_str peer = volo_cx_peer_ip(cx);
    struct address a;

    if (is_named(peer, "unix"))
        return layer->trusts_unix;
    return parse_address(&a, peer) && is_trusted(layer, &a);
}

static void
client_ip_run(volo_cx *cx, volo_next *next, void *user)
{
    const struct client_ip *layer = user;
    char text[INET6_ADDRSTRLEN];
    struct address found;

    if (trusts_peer(layer, cx)) {
        walk(layer, &found, cx);

        /* To go on with the proxy's own address might open doors. */
        if (found.family &&
            (!inet_ntop(found.family, found.octets, text, sizeof text) ||
             volo_cx_set_client_ip(cx, volo_str_of(text)) < 0)) {
            volo_reply_error(cx, VOLO_ENOMEM);
            return;
        }
    }
    volo_next_run(next, cx, NULL, NULL);
}

/* ---- Making one ---------------------------------------------------------- */

static int
parse_bits(unsigned *out, volo_str s)
{
    unsigned n = 0;
    size_t i;

    if (s.len < 1 || s.len > 3)
        return 0;
    for (i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return 0;
        n = n * 10 + (unsigned)(s.ptr[i] - '0');
    }
    *out = n;
    return 1;
}

static int
parse_network(struct network *out, volo_str s)
{
    const char *slash = s.len ? memchr(s.ptr, '/', s.len) : NULL;
    size_t len = slash ? (size_t)(slash - s.ptr) : s.len;
    unsigned most;

    if (!parse_raw(&out->base, volo_str_make(s.ptr, len)))
        return 0;
    most = out->base.family == AF_INET ? 32 : 128;
    out->bits = most;
    if (slash &&
        (!parse_bits(&out->bits, volo_str_make(slash + 1, s.len - len - 1)) ||
         out->bits > most))
        return 0;

    /* A network of mapped addresses is one of IPv4. */
    if (most == 128 && out->bits >= 96) {
        unmap(&out->base);
        if (out->base.family == AF_INET)
            out->bits -= 96;
    }
    return 1;
}

/* The entries of ${text}, apart by commas or blanks, to ${layer}. */
static int
parse_trusted(struct client_ip *layer, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, ", \t");
        volo_str entry = volo_str_make(text, len);

        if (is_named(entry, "unix"))
            layer->trusts_unix = 1;
        else if (len && !parse_network(&layer->networks[layer->count++], entry))
            return 0;
        text += len;
        text += strspn(text, ", \t");
    }
    return 1;
}

int
volo_layer_client_ip(volo_layer **out, const char *trusted, const char *header)
{
    struct client_ip *layer;
    size_t room, len, i;

    if (!header)
        header = "x-forwarded-for";
    if (!out || !trusted || !*header)
        return VOLO_EINVAL;

    /* No two networks in less than four characters ("::", and a comma). */
    room = strlen(trusted) / 2 + 1;
    len = strlen(header);
    layer =
        volo_alloc(sizeof *layer + room * sizeof *layer->networks + len + 1);
    if (!layer)
        return VOLO_ENOMEM;

    layer->header = (char *)(layer->networks + room);
    for (i = 0; i < len; i++)
        layer->header[i] = header[i] >= 'A' && header[i] <= 'Z'
                               ? (char)(header[i] | 0x20)
                               : header[i];
    layer->is_forwarded =
        is_named(volo_str_make(layer->header, len), "forwarded");
    if (!parse_trusted(layer, trusted)) {
        volo_free(layer);
        return VOLO_EINVAL;
    }
    return volo_layer_new(out, client_ip_run, layer, volo_free);
}
