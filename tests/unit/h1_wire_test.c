/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the conversations in tests/wire/h1_*.txt, each as a whole, octet by
 * octet and in random splits: what is said must be the same.  The language is
 * described in tests/wire/README.md.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>

#include <volo/http.h>

#include "wire/h1_rig.h"

enum { LINE = 70000, ROUNDS = 12 };

struct text {
    char *ptr;
    size_t len;
    size_t cap;
};

/* How the octets of a conversation are split: 0 not, 1 all, else by chance. */
struct run {
    struct wire wire;
    unsigned split;
    uint32_t seed;
    struct text want; /* said, as the file has it, and not compared yet */
    const char *where;
    int line;
    int failed; /* said once, then the rest is skipped */
};

static unsigned failures;

static void
wrong(struct run *run, const char *what)
{
    size_t n = wire_mask(run->wire.output, run->wire.output_len);

    if (run->failed)
        return;
    run->failed = 1;
    failures++;
    print_error("%s:%d: %s (split %u)\n--- wanted\n%.*s\n--- got\n%.*s\n---\n",
                run->where, run->line, what, run->split, (int)run->want.len,
                run->want.ptr ? run->want.ptr : "", (int)n,
                run->wire.output ? run->wire.output : "");
}

static uint32_t
chance(struct run *run)
{
    run->seed = run->seed * 1664525u + 1013904223u;
    return run->seed >> 8;
}

static void
add(struct text *t, const char *ptr, size_t len)
{
    if (t->len + len >= t->cap) {
        t->cap = 2 * (t->len + len) + 64;
        t->ptr = realloc(t->ptr, t->cap);
        assert_non_null(t->ptr);
    }
    memcpy(t->ptr + t->len, ptr, len);
    t->len += len;
    t->ptr[t->len] = 0;
}

static void
add_text(struct text *t, const char *text)
{
    add(t, text, strlen(text));
}

static const char *unescape(struct text *t, const char *s, char end);

/* "\{text*count}": ${s} is behind the brace; returns what is behind it. */
static const char *
add_repeated(struct text *t, const char *s)
{
    struct text once = {NULL, 0, 0};
    char *end;
    long n;

    s = unescape(&once, s, '*');
    n = strtol(s + 1, &end, 10);
    while (n-- > 0)
        add(t, once.ptr, once.len);
    free(once.ptr);
    return end + 1;
}

/* Up to ${end}. */
static const char *
unescape(struct text *t, const char *s, char end)
{
    while (*s && *s != end) {
        char c = *s++;

        if (c != '\\') {
            add(t, &c, 1);
            continue;
        }
        c = *s++;
        if (c == '{') {
            s = add_repeated(t, s);
        } else if (c == 'x') {
            char hex[3] = {s[0], s[1], 0};

            c = (char)strtol(hex, NULL, 16);
            add(t, &c, 1);
            s += 2;
        } else {
            c = c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c;
            add(t, &c, 1);
        }
    }
    return s;
}

/* Compare what was said so far. */
static void
compare(struct run *run)
{
    struct wire *w = &run->wire;
    size_t n = wire_mask(w->output, w->output_len);

    if (n != run->want.len || (n && memcmp(w->output, run->want.ptr, n)))
        wrong(run, "another answer");
    w->output_len = 0;
    run->want.len = 0;
}

static void
feed(struct run *run, const char *line)
{
    struct text t = {NULL, 0, 0};
    size_t at = 0;

    unescape(&t, line, 0);
    while (at < t.len) {
        size_t n = t.len - at;

        if (run->split == 1)
            n = 1;
        else if (run->split && n > 1)
            n = 1 + chance(run) % (chance(run) % 4 ? 8 : n);
        if (n > t.len - at)
            n = t.len - at;
        run->wire.no_block = run->split & 1;
        wire_feed(&run->wire, t.ptr + at, n);
        at += n;
    }
    free(t.ptr);
}

/* "<200 body", "<200c body": an answer of the service; "<! 400": a refusal. */
static void
expect(struct run *run, const char *s)
{
    struct text body = {NULL, 0, 0};
    char head[256];
    int status = atoi(*s == '!' ? s + 2 : s), closes;

    if (*s == ' ' || *s == '-') {
        unescape(&run->want, s + 1, 0);
        if (*s == ' ')
            add_text(&run->want, "\r\n");
        return;
    }
    if (*s == '!') {
        add_text(&body, volo_status_reason(status));
        add_text(&body, "\n");
    } else {
        unescape(&body, strchr(s, ' ') + 1, 0);
    }
    closes = *s == '!' || s[3] == 'c';
    snprintf(head, sizeof head,
             "HTTP/1.1 %d %s\r\n%s\r\ncontent-length: %zu\r\n%s\r\n", status,
             volo_status_reason(status),
             *s == '!' ? "content-type: text/plain; charset=utf-8"
                       : "content-type: text/plain",
             body.len, closes ? "connection: close\r\n" : "");
    add_text(&run->want, head);
    add(&run->want, body.ptr ? body.ptr : "", body.len);
    free(body.ptr);
}

static void
act(struct run *run, const char *what)
{
    struct wire *w = &run->wire;

    if (!strcmp(what, "answer"))
        wire_answer(w) ? (void)0 : wrong(run, "nothing to answer");
    else if (!strcmp(what, "end"))
        wire_end_writer(w, 1);
    else if (!strcmp(what, "break"))
        wire_end_writer(w, 0);
    else if (!strcmp(what, "eof"))
        w->h1.wire.ops->eof(&w->h1.wire, 0);
    else if (!strcmp(what, "half-close"))
        w->h1.wire.ops->eof(&w->h1.wire, 1);
    else if (!strcmp(what, "timeout"))
        w->h1.wire.ops->timeout(&w->h1.wire);
    else if (!strcmp(what, "stop"))
        w->h1.wire.ops->stop(&w->h1.wire);
    else if (!strcmp(what, "stuck"))
        w->stuck = 1;
    else if (!strcmp(what, "unstuck"))
        w->stuck = 0;
    else
        wrong(run, what);
    wire_settle(w);
}

static void
check_phase(struct run *run, const char *name)
{
    static const char *const names[] = {"idle", "head", "body", "busy",
                                        "closing"};
    struct wire *w = &run->wire;

    int right;

    if (!strcmp(name, "cut"))
        right = w->h1.wire.cut &&
                w->h1.wire.ops->phase(&w->h1.wire) == VOLO__WIRE_CLOSING;
    else if (!strcmp(name, "upgraded"))
        right = w->upgraded != NULL;
    else if (!strncmp(name, "kept ", 5))
        right = w->kept_len == strtoul(name + 5, NULL, 10);
    else if (!strncmp(name, "canceled ", 9))
        right = w->canceled == strtoul(name + 9, NULL, 10);
    else
        right = !strcmp(name, names[w->h1.wire.ops->phase(&w->h1.wire)]);
    if (!right)
        wrong(run, names[w->h1.wire.ops->phase(&w->h1.wire)]);
}

static void
limit(struct run *run, const char *s)
{
    struct volo__wire_config *config = &run->wire.config;
    static char server[64];
    char name[32];

    if (sscanf(s, "server %63s", server) == 1) {
        config->server_name = server;
        return;
    }
    assert_int_equal(sscanf(s, "%31s", name), 1);
    s += strlen(name);
    if (!strcmp(name, "body"))
        config->body_limit = strtoul(s, NULL, 10);
    else if (!strcmp(name, "head"))
        config->head_limit = (uint32_t)atoi(s);
    else if (!strcmp(name, "fields"))
        config->field_limit = (uint32_t)atoi(s);
    else if (!strcmp(name, "target"))
        config->target_limit = (uint32_t)atoi(s);
    else if (!strcmp(name, "chunk-ext"))
        config->chunk_ext_limit = (uint32_t)atoi(s);
    else if (!strcmp(name, "trailers"))
        config->trailer_limit = (uint32_t)atoi(s);
    else if (!strcmp(name, "pipeline"))
        config->pipeline_limit = (uint32_t)atoi(s);
    else if (!strcmp(name, "out"))
        config->out_limit = (uint32_t)atoi(s);
    else if (!strcmp(name, "requests"))
        config->request_limit = (uint64_t)atoi(s);
    else if (!strcmp(name, "whole"))
        run->split = 0;
    else
        wrong(run, s);
}

static void
step(struct run *run, const char *line)
{
    switch (line[0]) {
    case '>':
        if (run->want.len)
            compare(run);
        feed(run, line + 2);
        break;
    case '<':
        expect(run, line + 1);
        break;
    case '*':
        compare(run);
        act(run, line + 2);
        break;
    case '=':
        compare(run);
        check_phase(run, line + 2);
        break;
    case ':':
        limit(run, line + 2);
        break;
    default:
        break;
    }
}

static void
close_run(struct run *run)
{
    compare(run);
    if (wire_close(&run->wire))
        wrong(run, "exchanges are left");
    if (run->wire.finished != run->wire.served)
        wrong(run, "on_finish was not called");
    free(run->want.ptr);
}

/* One file, split in one way; returns how many conversations it has. */
static unsigned
play(const char *path, unsigned split)
{
    FILE *file = fopen(path, "r");
    char *line = malloc(LINE);
    struct run run = {.where = path};
    unsigned count = 0;
    int number = 0;

    assert_non_null(file);
    assert_non_null(line);
    while (fgets(line, LINE, file)) {
        line[strcspn(line, "\n")] = 0;
        number++;
        if (!strncmp(line, "==", 2)) {
            if (count++)
                close_run(&run);
            memset(&run, 0, sizeof run);
            run.where = path;
            run.split = split;
            run.seed = split * 977 + count;
            wire_init(&run.wire);
        }
        run.line = number;
        if (count && line[1] != '=')
            step(&run, line);
    }
    if (count)
        close_run(&run);
    free(line);
    fclose(file);
    return count;
}

static void
play_all(unsigned first, unsigned last)
{
    char pattern[1024];
    unsigned split, count = 0;
    glob_t found;
    size_t i;

    snprintf(pattern, sizeof pattern, "%.*s../wire/h1_*.txt",
             (int)(strrchr(__FILE__, '/') + 1 - __FILE__), __FILE__);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (i = 0; i < found.gl_pathc; i++)
        for (split = first; split <= last; split++)
            count += play(found.gl_pathv[i], split);
    globfree(&found);
    assert_int_equal(failures, 0);
    assert_true(count >= 100);
}

static void
test_conversations_go_as_written(void **state)
{
    (void)state;
    play_all(0, 0);
}

static void
test_they_go_the_same_octet_by_octet(void **state)
{
    (void)state;
    play_all(1, 1);
}

static void
test_they_go_the_same_in_random_splits(void **state)
{
    (void)state;
    play_all(2, ROUNDS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversations_go_as_written),
        cmocka_unit_test(test_they_go_the_same_octet_by_octet),
        cmocka_unit_test(test_they_go_the_same_in_random_splits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
