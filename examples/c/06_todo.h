/* SPDX-License-Identifier: Apache-2.0 */
/* The to-do service as a router, so that main and a test can each have it. */
#ifndef EXAMPLES_TODO_H
#define EXAMPLES_TODO_H

#include <volo.h>

/* todo_new(out): a router with its own, empty list; the caller's to unref. */
int todo_new(volo_router **out);

#endif
