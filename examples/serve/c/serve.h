/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the behaviour server have in common. */
#ifndef VOLO_EXAMPLES_SERVE_H
#define VOLO_EXAMPLES_SERVE_H

#include <volo.h>

/* Options and listeners, from the environment; words to stderr. */
int serve_configure(volo_server *server);

/* GET /connection: what is known of it, as JSON. */
void serve_connection(volo_cx *cx, void *user);

/* GET /hints: a 103 ahead of the answer. */
void serve_hints(volo_cx *cx, void *user);

/* /trailers: the body back, and the trailers that came behind it. */
void serve_trailers(volo_cx *cx, void *user);

#endif
