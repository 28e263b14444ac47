/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of any size in little memory: an upload is read as it comes, a
 * download is made as the client takes it.
 *
 *     curl -T some-file localhost:8080/upload
 *     curl -o /dev/null localhost:8080/download/1000000000
 *     curl -N localhost:8080/count
 */
#include "serve.h"

enum { SLICE = 16384 };

/* ---- Upload -------------------------------------------------------------- */

struct upload {
    uint64_t octets;
    uint32_t sum; /* FNV-1a of them */
};

static int
upload_done(volo_cx *cx, int err, const struct upload *u)
{
    char text[80];

    if (err)
        return volo_reply_error(cx, err);
    snprintf(text, sizeof text, "%llu octets, sum %08x\n",
             (unsigned long long)u->octets, u->sum);
    return volo_reply_text(cx, text);
}

/* A piece is valid only during the call; an absent one is the end. */
static int
upload_piece(volo_cx *cx, int err, volo_str piece, void *user)
{
    struct upload *u = user;
    size_t i;

    if (!piece.ptr) {
        upload_done(cx, err, u);
        return VOLO_FLOW_MORE;
    }
    for (i = 0; i < piece.len; i++)
        u->sum = (u->sum ^ (unsigned char)piece.ptr[i]) * 16777619u;
    u->octets += piece.len;
    return VOLO_FLOW_MORE;
}

static void
upload(volo_cx *cx, void *user)
{
    struct upload *u = volo_cx_alloc(cx, sizeof *u);
    int err = VOLO_ENOMEM;

    (void)user;
    if (u) {
        u->octets = 0;
        u->sum = 2166136261u;
        volo_cx_set_body_limit(cx, UINT64_MAX);
        err = volo_cx_read_stream(cx, upload_piece, u);
    }
    if (err)
        volo_reply_error(cx, err);
}

/* ---- Download ------------------------------------------------------------ */

struct download {
    uint64_t left;
    char slice[SLICE];
};

/* Called whenever there is room; 1 says that there is more to come. */
static int
download_some(volo_writer *w, void *user)
{
    struct download *d = user;
    size_t n = d->left < SLICE ? (size_t)d->left : SLICE;
    int err = volo_writer_write(w, volo_str_make(d->slice, n));

    if (err)
        return err;
    d->left -= n;
    return d->left > 0;
}

VOLO_HANDLER(download, (u64, n, PATH("n")))
{
    struct download *d;

    if (n > INT64_MAX)
        return volo_reply_invalid(cx, 422, "n", "path", "is too large");
    d = volo_cx_alloc(cx, sizeof *d);
    if (!d)
        return VOLO_ENOMEM;
    memset(d->slice, 'v', sizeof d->slice);
    d->left = n;
    return volo_cx_answer_source(cx, (int64_t)n, download_some, d, NULL);
}

/* ---- A stream that is pushed --------------------------------------------- */

struct count {
    volo_writer *writer;
    volo_loop *loop;
    int n;
};

static void count_on(void *user);

static int
count_again(struct count *c)
{
    return volo_timer_start(NULL, c->loop, 100, count_on, c, NULL);
}

/* Every tenth of a second a line, ten in all.  If the client has left,
 * writing fails, and freeing the writer lets go of the exchange. */
static void
count_on(void *user)
{
    struct count *c = user;
    char line[16];

    snprintf(line, sizeof line, "%d\n", ++c->n);
    if (!volo_writer_write(c->writer, volo_str_of(line))) {
        if (c->n < 10 && !count_again(c))
            return;
        volo_writer_end(c->writer);
    }
    volo_writer_free(c->writer);
}

static void
count(volo_cx *cx, void *user)
{
    struct count *c = volo_cx_alloc(cx, sizeof *c);

    (void)user;
    if (!c) {
        volo_reply_error(cx, VOLO_ENOMEM);
        return;
    }
    c->loop = volo_cx_loop(cx);
    c->n = 0;
    volo_cx_set_header(cx, "Content-Type", VOLO_STR("text/plain"));
    if (!volo_cx_answer_stream(&c->writer, cx, -1))
        count_on(c);
}

int
main(int argc, char **argv)
{
    volo_router *router = NULL;
    int err = volo_router_new(&router);

    if (!err)
        err = volo_router_put(router, "/upload", upload, NULL);
    if (!err)
        err = volo_router_post(router, "/upload", upload, NULL);
    if (!err)
        err = volo_router_get(router, "/download/{n}", download, NULL);
    if (!err)
        err = volo_router_get(router, "/count", count, NULL);
    if (err)
        return example_failed(router, err);
    return example_serve(router, argc, argv);
}
