/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DATA frames of a response.  nghttp2 asks, when windows and priorities
 * say so, for as much as a frame takes; short pieces are copied into it, long
 * ones go into the queue as they lie.
 */
#include <string.h>

#include "h2/state.h"

/* Go's client, for one, opens two windows for each 4 KiB that it has read. */
static ssize_t
moved(struct volo__h2_stream *stream, size_t len)
{
    struct volo__h2 *h2 = stream->h2;

    stream->out_last = h2->out_last = h2->wire.home->now_ms;
    volo__h2_earn(h2, 2 + (uint32_t)(len / 1024));
    return (ssize_t)len;
}

/* ---- A whole body -------------------------------------------------------- */

static ssize_t
read_whole(struct volo__h2_stream *stream, uint8_t *buf, size_t len,
           uint32_t *flags)
{
    volo_str body = stream->body;
    size_t n = body.len < len ? body.len : len;

    if (n == body.len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (n <= VOLO__H2_SMALL) {
        memcpy(buf, body.ptr, n);
    } else {
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
        stream->h2->no_copy = volo_str_make(body.ptr, n);
        stream->h2->no_copy_done = NULL;
        stream->lent = 1;
    }
    stream->body.ptr += n;
    stream->body.len -= n;
    stream->cx->sent += n;
    return moved(stream, n);
}

/* ---- A streamed one ------------------------------------------------------ */

/* The piece at hand; NULL also if it is more than was announced. */
static struct volo__chunk *
take_chunk(struct volo__h2_stream *stream)
{
    volo_writer *w = stream->cx->res.writer;

    if (stream->chunk || !volo__writer_front(w))
        return stream->chunk;
    if (stream->cx->res.length >= 0) {
        if (volo__writer_front(w)->len > stream->left) {
            stream->overrun = 1;
            return NULL;
        }
        stream->left -= volo__writer_front(w)->len;
    }
    stream->chunk = volo__writer_pop(w);
    stream->chunk_off = 0;
    return stream->chunk;
}

/* As many short pieces as there are, into one frame; not what is left of one
 * that has been lent in part, and is still in the queue. */
static size_t
copy_chunks(struct volo__h2_stream *stream, uint8_t *buf, size_t len)
{
    struct volo__chunk *chunk;
    size_t used = 0;

    while ((chunk = take_chunk(stream)) != NULL) {
        size_t n = chunk->len - stream->chunk_off;

        if (n > VOLO__H2_SMALL || n > len - used || stream->chunk_off)
            break;
        memcpy(buf + used, chunk->ptr + stream->chunk_off, n);
        used += n;
        stream->chunk = NULL;
        volo__chunk_done(chunk);
    }
    return used;
}

static size_t
lend_chunk(struct volo__h2_stream *stream, size_t len, uint32_t *flags)
{
    struct volo__chunk *chunk = stream->chunk;
    struct volo__h2 *h2 = stream->h2;
    size_t rest = chunk->len - stream->chunk_off;
    size_t n = rest < len ? rest : len;

    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    h2->no_copy = volo_str_make(chunk->ptr + stream->chunk_off, n);
    h2->no_copy_done = n == rest ? chunk : NULL;
    stream->chunk_off += n;
    if (n == rest)
        stream->chunk = NULL;
    return n;
}

static int
submit_trailers(struct volo__h2_stream *stream)
{
    const struct volo__fields *fields =
        volo__writer_trailers(stream->cx->res.writer);
    struct volo__h2_nva nva;
    size_t i;
    int rc;

    if (volo__h2_nva_begin(&nva, fields->count))
        return NGHTTP2_ERR_NOMEM;
    volo__h2_nva_fields(&nva, fields);
    for (i = 0; i < nva.count; i++)
        nva.v[i].flags = NGHTTP2_NV_FLAG_NONE;
    rc = nghttp2_submit_trailer(stream->h2->session, stream->id, nva.v,
                                nva.count);
    volo__h2_nva_end(&nva);
    return rc;
}

/* All pieces have gone and the writer has ended. */
static int
end_stream(struct volo__h2_stream *stream, uint32_t *flags)
{
    if (stream->cx->res.length >= 0 && stream->left)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!volo__writer_trailers(stream->cx->res.writer)->count)
        return 0;
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return submit_trailers(stream) ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : 0;
}

static ssize_t
read_stream(struct volo__h2_stream *stream, uint8_t *buf, size_t len,
            uint32_t *flags)
{
    volo_writer *w = stream->cx->res.writer;
    size_t n = copy_chunks(stream, buf, len);
    int err;

    if (stream->overrun)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (!n && stream->chunk)
        n = lend_chunk(stream, len, flags);
    if (stream->chunk || volo__writer_front(w))
        return moved(stream, n);

    switch (volo__writer_status(w)) {
    case VOLO__WRITER_ENDED:
        err = end_stream(stream, flags);
        return err ? err : moved(stream, n);
    case VOLO__WRITER_OPEN:
        if (n)
            return moved(stream, n);
        stream->deferred = 1;
        return NGHTTP2_ERR_DEFERRED;
    default:
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
}

/* ---- For nghttp2 --------------------------------------------------------- */

ssize_t
volo__h2_read_data(nghttp2_session *session, int32_t id, uint8_t *buf,
                   size_t len, uint32_t *flags, nghttp2_data_source *source,
                   void *user)
{
    struct volo__h2_stream *stream = source->ptr;
    struct volo__h2 *h2 = user;

    (void)session;
    (void)id;
    if (h2->cutting)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (h2->dead || !stream->cx)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (h2->wire.out->bytes > h2->wire.config->out_limit)
        return NGHTTP2_ERR_PAUSE;
    if (stream->cx->res.streamed)
        return read_stream(stream, buf, len, flags);
    return read_whole(stream, buf, len, flags);
}

/* What was lent follows its frame's head, which we were to write ourselves. */
int
volo__h2_send_data(nghttp2_session *session, nghttp2_frame *frame,
                   const uint8_t *head, size_t len, nghttp2_data_source *source,
                   void *user)
{
    struct volo__h2 *h2 = user;
    struct volo__h2_stream *stream = source->ptr;
    struct volo__chunk *done = h2->no_copy_done;
    enum { FRAME_HEAD = 9 };

    (void)session;
    (void)frame;
    (void)len;
    h2->no_copy_done = NULL;
    if (volo__outq_copy(h2->wire.out, head, FRAME_HEAD) ||
        volo__outq_ref(h2->wire.out, h2->no_copy.ptr, h2->no_copy.len,
                       done ? volo__chunk_done : NULL, done)) {
        if (done)
            stream->chunk = done; /* more of it may be in the queue */
        volo__h2_cut(h2);
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}
