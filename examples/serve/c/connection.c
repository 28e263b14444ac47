/* SPDX-License-Identifier: Apache-2.0 */
/* Routes of the behaviour server that show what is beside requests and
 * answers: the connection, interim answers, trailers. */
#include "serve.h"

static volo_str
version_of(const volo_cx *cx)
{
    switch (volo_cx_version(cx)) {
    case 20:
        return VOLO_STR("2");
    case 11:
        return VOLO_STR("1.1");
    default:
        return VOLO_STR("1.0");
    }
}

/* Absent ones become null. */
void
serve_connection(volo_cx *cx, void *user)
{
    const struct {
        const char *key;
        volo_str value;
    } texts[] = {
        {"version", version_of(cx)},
        {"scheme", volo_cx_scheme(cx)},
        {"peer", volo_cx_peer_ip(cx)},
        {"cipher", volo_cx_tls_cipher(cx)},
        {"name", volo_cx_tls_server_name(cx)},
        {"client", volo_cx_tls_client_subject(cx)},
    };
    volo_json *doc;
    size_t i;
    int err = volo_json_object(&doc, cx);

    (void)user;
    for (i = 0; !err && i < sizeof texts / sizeof *texts; i++)
        err = volo_json_set_str(doc, texts[i].key, texts[i].value);
    if (!err)
        err = volo_json_set_i64(doc, "port", volo_cx_peer_port(cx));
    if (!err)
        err = volo_json_set_i64(doc, "tls", volo_cx_tls_version(cx));
    if (err)
        volo_reply_error(cx, err);
    else
        volo_reply_json(cx, doc);
}

/* HTTP/1.0 has none: it gets the answer alone. */
void
serve_hints(volo_cx *cx, void *user)
{
    volo_pair link;

    (void)user;
    memset(&link, 0, sizeof link);
    link.name = VOLO_STR("link");
    link.value = VOLO_STR("</style.css>; rel=preload");
    volo_cx_early_hints(cx, &link, 1);
    volo_reply_static(cx, "text/plain", VOLO_STR("ok\n"));
}

static void
trailers_read(volo_cx *cx, int err, volo_str body, void *user)
{
    volo_str sum = volo_cx_trailer(cx, "x-sum");
    volo_writer *w;

    (void)user;
    if (!err)
        err = volo_cx_answer_stream(&w, cx, -1);
    if (err) {
        volo_reply_error(cx, err);
        return;
    }
    if (body.len)
        volo_writer_write(w, body);
    if (sum.ptr)
        volo_writer_trailer(w, "x-sum", sum);
    volo_writer_end(w);
    volo_writer_free(w);
}

void
serve_trailers(volo_cx *cx, void *user)
{
    int err = volo_cx_read_body(cx, trailers_read, NULL);

    (void)user;
    if (err)
        volo_reply_error(cx, err);
}
