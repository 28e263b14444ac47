/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References that are given back where there is no GIL: a list without a lock,
 * emptied by whoever comes by with one.
 */
#include "py.h"

#include <stdatomic.h>
#include <stdlib.h>

struct dropped {
    struct dropped *next;
    PyObject *object;
};

static _Atomic(struct dropped *) list;

/* Without memory for the note the object stays for ever: the only thing that
 * is safe here. */
void
volo__py_drop(void *object)
{
    struct dropped *note = object ? malloc(sizeof *note) : NULL;

    if (!note)
        return;
    note->object = object;
    note->next = atomic_load_explicit(&list, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
        &list, &note->next, note, memory_order_release, memory_order_relaxed))
        ;
}

void
volo__py_sweep(void)
{
    struct dropped *note, *next;

    if (!atomic_load_explicit(&list, memory_order_relaxed))
        return;
    note = atomic_exchange_explicit(&list, NULL, memory_order_acquire);
    for (; note; note = next) {
        next = note->next;
        Py_DECREF(note->object);
        free(note);
    }
}
