/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streamed answers, for goroutines that may wait until there is room.
 */
#include "go.h"

struct drain {
    volo_writer *writer;
    struct volo__go_note *note;
};

static void
drained(volo_writer *w, int err, void *user)
{
    (void)w;
    volo__go_tell(user, err ? VOLO__GO_GONE | VOLO__GO_ROOM : VOLO__GO_ROOM);
}

/* On the loop's thread, before any octet of the body comes there: both go the
 * same way, in order.  So does the news that the writer was freed. */
static void
drain_begins(volo_cx *cx, void *user)
{
    struct drain *drain = user;

    volo__go_note_ref(drain->note);
    volo_writer_on_drain(drain->writer, drained, drain->note,
                         volo__go_note_unref);
    if (volo_cx_is_canceled(cx))
        volo__go_tell(drain->note, VOLO__GO_GONE | VOLO__GO_ROOM);
    volo__go_note_unref(drain->note);
}

int
volo__go_stream(volo_writer **out, const volo_answer *answer, int64_t length,
                struct volo__go_hub *hub, uint64_t id)
{
    volo_cx *cx = answer->cx;
    struct drain *drain = volo_cx_alloc(cx, sizeof *drain);
    int err = drain ? volo__go_head(cx, answer) : VOLO_ENOMEM;

    if (err)
        return err;
    drain->note = volo__go_note_new(hub, id);
    if (!drain->note)
        return VOLO_ENOMEM;
    err = volo_cx_answer_stream(&drain->writer, cx, length);
    if (err) {
        volo__go_note_unref(drain->note);
        return err;
    }
    err = volo_cx_post(cx, drain_begins, drain);
    if (err) {
        volo_writer_free(drain->writer);
        volo__go_note_unref(drain->note);
        return err;
    }
    *out = drain->writer;
    return 0;
}
