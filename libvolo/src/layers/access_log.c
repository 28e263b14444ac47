/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer that writes a line for each exchange when it is over.  Whatever the
 * client had a say in is escaped, so that no request can forge a line or send
 * a command to the terminal that shows it.  Files, rotation and the rest of
 * logging are not known here: a line goes to a function or a descriptor.
 */
#include <volo.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct access_log {
    int format;
    volo_log_fn fn;
    void *user;
    volo_free_fn user_free;
};

/* ---- A line under construction ------------------------------------------- */

enum { LINE_ROOM = 1024 };

/* On the stack, unless a client sent long things.  ${failed}: out of memory,
 * the line is dropped. */
struct line {
    char *ptr;
    size_t len;
    size_t cap;
    int failed;
    char room[LINE_ROOM];
};

static void
line_init(struct line *line)
{
    line->ptr = line->room;
    line->len = 0;
    line->cap = sizeof line->room;
    line->failed = 0;
}

static void
line_clear(struct line *line)
{
    if (line->ptr != line->room)
        volo_free(line->ptr);
}

/* Where ${more} octets can be written; NULL if there is no memory. */
static char *
line_reserve(struct line *line, size_t more)
{
    size_t cap = line->cap;
    char *bigger;

    if (line->failed)
        return NULL;
    if (more <= cap - line->len)
        return line->ptr + line->len;

    while (cap - line->len < more)
        cap *= 2;
    bigger = volo_alloc(cap);
    if (!bigger) {
        line->failed = 1;
        return NULL;
    }
    memcpy(bigger, line->ptr, line->len);
    line_clear(line);
    line->ptr = bigger;
    line->cap = cap;
    return bigger + line->len;
}

static void
put(struct line *line, volo_str s)
{
    char *p = line_reserve(line, s.len);

    if (!p || !s.len)
        return;
    memcpy(p, s.ptr, s.len);
    line->len += s.len;
}

#define PUT(line, literal) put(line, VOLO_STR(literal))

static void
put_number(struct line *line, uint64_t n)
{
    char digits[20];
    size_t i = sizeof digits;

    do
        digits[--i] = (char)('0' + n % 10);
    while (n /= 10);
    put(line, volo_str_make(digits + i, sizeof digits - i));
}

/* ---- Escapes ------------------------------------------------------------- */

/* As nginx does it: \xNN for quotes, backslashes and all but visible ASCII. */
static void
put_escaped(struct line *line, volo_str s)
{
    char *p = line_reserve(line, 4 * s.len);
    size_t i;

    if (!p)
        return;
    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            *p++ = (char)c;
            continue;
        }
        *p++ = '\\';
        *p++ = 'x';
        *p++ = "0123456789ABCDEF"[c >> 4];
        *p++ = "0123456789ABCDEF"[c & 15];
    }
    line->len = (size_t)(p - line->ptr);
}

/* How many octets the UTF-8 character at ${s} has, 0 if it is malformed
 * (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF). */
static size_t
utf8_len(const unsigned char *s, size_t left)
{
    unsigned low = 0x80, high = 0xbf;
    size_t len, i;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (left < len)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (i = 2; i < len; i++)
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    return len;
}

static char *
put_unicode(char *p, unsigned c)
{
    *p++ = '\\';
    *p++ = 'u';
    *p++ = "0123456789abcdef"[c >> 12 & 15];
    *p++ = "0123456789abcdef"[c >> 8 & 15];
    *p++ = "0123456789abcdef"[c >> 4 & 15];
    *p++ = "0123456789abcdef"[c & 15];
    return p;
}

/* One character; *used gets how many octets of ${s} it was. */
static char *
put_json_char(char *p, const unsigned char *s, size_t left, size_t *used)
{
    size_t len = utf8_len(s, left);

    *used = len ? len : 1;
    if (!len)
        return put_unicode(p, 0xfffd);
    if (len == 1 && (s[0] == '"' || s[0] == '\\')) {
        *p++ = '\\';
        *p++ = (char)s[0];
        return p;
    }

    /* Controls, those of C1 too: terminals obey them. */
    if (len == 1 && (s[0] < 0x20 || s[0] == 0x7f))
        return put_unicode(p, s[0]);
    if (len == 2 && s[0] == 0xc2 && s[1] < 0xa0)
        return put_unicode(p, s[1]);
    memcpy(p, s, len);
    return p + len;
}

static void
put_json_string(struct line *line, volo_str s)
{
    char *p = line_reserve(line, 6 * s.len + 2);
    size_t i, used;

    if (!p)
        return;
    *p++ = '"';
    for (i = 0; i < s.len; i += used)
        p = put_json_char(p, (const unsigned char *)s.ptr + i, s.len - i,
                          &used);
    *p++ = '"';
    line->len = (size_t)(p - line->ptr);
}

/* ---- The time ------------------------------------------------------------ */

struct stamp {
    time_t second;
    char common[80]; /* 10/Oct/2000:13:55:36 +0000 */
    char iso[80];    /* 2000-10-10T13:55:36+00:00 */
};

/* Written once a second and thread. */
static const struct stamp *
stamp_now(void)
{
    static _Thread_local struct stamp stamp;
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec == stamp.second || !gmtime_r(&now.tv_sec, &tm))
        return &stamp;
    stamp.second = now.tv_sec;
    snprintf(stamp.common, sizeof stamp.common,
             "%02d/%.3s/%04d:%02d:%02d:%02d +0000", tm.tm_mday,
             months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
    snprintf(stamp.iso, sizeof stamp.iso, "%04d-%02d-%02dT%02d:%02d:%02d+00:00",
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
             tm.tm_min, tm.tm_sec);
    return &stamp;
}

/* ---- The formats --------------------------------------------------------- */

/* Nobody got the status of an exchange whose client had left; nginx's word
 * for it. */
static unsigned
status_of(const volo_cx *cx)
{
    return volo_cx_is_canceled(cx) ? 499 : (unsigned)volo_cx_status(cx);
}

static void
put_version(struct line *line, const volo_cx *cx)
{
    unsigned version = (unsigned)volo_cx_version(cx);

    PUT(line, " HTTP/");
    put_number(line, version / 10);
    PUT(line, ".");
    put_number(line, version % 10);
}

static void
put_quoted_field(struct line *line, const volo_cx *cx, int field)
{
    volo_str value = volo_cx_field(cx, field);

    PUT(line, " \"");
    put_escaped(line, value.ptr ? value : VOLO_STR("-"));
    PUT(line, "\"");
}

static void
put_common(struct line *line, volo_cx *cx, int combined)
{
    put_escaped(line, volo_cx_client_ip(cx));
    PUT(line, " - - [");
    put(line, volo_str_of(stamp_now()->common));
    PUT(line, "] \"");
    put_escaped(line, volo_cx_method_name(cx));
    PUT(line, " ");
    put_escaped(line, volo_cx_target(cx));
    put_version(line, cx);
    PUT(line, "\" ");
    put_number(line, status_of(cx));
    PUT(line, " ");
    put_number(line, volo_cx_sent(cx));
    if (!combined)
        return;
    put_quoted_field(line, cx, VOLO_FIELD_REFERER);
    put_quoted_field(line, cx, VOLO_FIELD_USER_AGENT);
}

/* ,"name":"value", or nothing where there is no value. */
static void
put_member(struct line *line, volo_str name, volo_str value)
{
    if (!value.ptr)
        return;
    PUT(line, ",\"");
    put(line, name);
    PUT(line, "\":");
    put_json_string(line, value);
}

static void
put_json(struct line *line, volo_cx *cx)
{
    PUT(line, "{\"time\":\"");
    put(line, volo_str_of(stamp_now()->iso));
    PUT(line, "\"");
    put_member(line, VOLO_STR("method"), volo_cx_method_name(cx));
    put_member(line, VOLO_STR("target"), volo_cx_target(cx));
    PUT(line, ",\"status\":");
    put_number(line, status_of(cx));
    PUT(line, ",\"bytes\":");
    put_number(line, volo_cx_sent(cx));
    PUT(line, ",\"duration_us\":");
    put_number(line, volo_cx_elapsed_us(cx));
    put_member(line, VOLO_STR("ip"), volo_cx_client_ip(cx));
    put_member(line, VOLO_STR("pattern"), volo_cx_pattern(cx));
    put_member(line, VOLO_STR("request_id"), volo_request_id(cx));
    put_member(line, VOLO_STR("user_agent"),
               volo_cx_field(cx, VOLO_FIELD_USER_AGENT));
    put_member(line, VOLO_STR("referer"),
               volo_cx_field(cx, VOLO_FIELD_REFERER));
    PUT(line, "}");
}

static void
log_exchange(volo_cx *cx, void *user)
{
    const struct access_log *log = user;
    struct line line;

    line_init(&line);
    if (log->format == VOLO_LOG_JSON)
        put_json(&line, cx);
    else
        put_common(&line, cx, log->format == VOLO_LOG_COMBINED);

    /* Sinks may put a line feed behind what they get. */
    if (line_reserve(&line, 1))
        log->fn(volo_str_make(line.ptr, line.len), log->user);
    line_clear(&line);
}

/* ---- The layer ----------------------------------------------------------- */

static void
access_log_run(volo_cx *cx, volo_next *next, void *user)
{
    if (volo_cx_on_finish(cx, log_exchange, user, NULL) < 0) {
        volo_reply_error(cx, VOLO_ENOMEM);
        return;
    }
    volo_next_run(next, cx, NULL, NULL);
}

static void
access_log_free(void *user)
{
    struct access_log *log = user;

    if (log->user_free)
        log->user_free(log->user);
    volo_free(log);
}

int
volo_layer_access_log(volo_layer **out, int format, volo_log_fn fn, void *user,
                      volo_free_fn user_free)
{
    struct access_log *log;
    int err = VOLO_EINVAL;

    if (!out || !fn || format < VOLO_LOG_COMMON || format > VOLO_LOG_JSON)
        goto err0;

    err = VOLO_ENOMEM;
    log = volo_alloc(sizeof *log);
    if (!log)
        goto err0;
    log->format = format;
    log->fn = fn;
    log->user = user;
    log->user_free = user_free;
    return volo_layer_new(out, access_log_run, log, access_log_free);

err0:
    if (user_free)
        user_free(user);
    return err;
}

/* ---- Lines to a descriptor ----------------------------------------------- */

enum { REST_WAIT_MS = 20 }; /* for the rest of a line that has begun */

struct fd_sink {
    int fd;
    int is_file;          /* a file never makes a writer wait for a reader */
    pthread_mutex_t lock; /* of a pipe, terminal or socket: see there */
};

/* The loop must not wait for whoever reads the log.  A descriptor that blocks
 * is asked first, and given no more than fits where it said there is room; the
 * lock keeps others from taking that room in between. */
static int
has_room(const struct fd_sink *sink, int wait_ms)
{
    struct pollfd p = {.fd = sink->fd, .events = POLLOUT};

    return sink->is_file || (poll(&p, 1, wait_ms) == 1 &&
                             (p.revents & (POLLOUT | POLLERR)) == POLLOUT);
}

/* Write all of ${line}, or give up. */
static void
write_line(const struct fd_sink *sink, volo_str line)
{
    size_t at = 0;
    size_t piece;
    ssize_t n;

    while (at < line.len && has_room(sink, at ? REST_WAIT_MS : 0)) {
        piece = line.len - at;
        if (!sink->is_file && piece > 4096)
            piece = 4096; /* PIPE_BUF: what a pipe that has room takes */
        do
            n = write(sink->fd, line.ptr + at, piece);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
            return;
        at += (size_t)n;
    }
}

static void
fd_sink_line(volo_str line, void *user)
{
    struct fd_sink *sink = user;

    /* log_exchange() has left room for one octet behind the line. */
    ((char *)(uintptr_t)line.ptr)[line.len++] = '\n';
    if (sink->is_file) {
        write_line(sink, line);
        return;
    }
    pthread_mutex_lock(&sink->lock);
    write_line(sink, line);
    pthread_mutex_unlock(&sink->lock);
}

static void
fd_sink_free(void *user)
{
    struct fd_sink *sink = user;

    pthread_mutex_destroy(&sink->lock);
    volo_free(sink);
}

int
volo_layer_access_log_fd(volo_layer **out, int format, int fd)
{
    struct fd_sink *sink;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return VOLO_EINVAL;

    sink = volo_alloc(sizeof *sink);
    if (!sink)
        return VOLO_ENOMEM;
    sink->fd = fd;
    sink->is_file = S_ISREG(st.st_mode);
    if (pthread_mutex_init(&sink->lock, NULL)) {
        volo_free(sink);
        return VOLO_ENOMEM;
    }
    return volo_layer_access_log(out, format, fd_sink_line, sink, fd_sink_free);
}
