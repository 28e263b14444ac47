/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exchange may still look at when its server is gone: the service, the
 * layers around it, the states.  Shared by the server and by the homes of its
 * workers, which live as long as their last exchange; it knows neither.
 */
#ifndef VOLO_SERVER_ROOT_H
#define VOLO_SERVER_ROOT_H

#include "service/service.h"

struct volo__root {
    atomic_int refs;
    volo_service around; /* the server's layers around the user's service */
    volo_service *service;
    struct volo__ext *states;
};

/* volo__root_new(out, service): takes a reference of ${service}.  VOLO_ENOMEM.
 */
int volo__root_new(struct volo__root **out, volo_service *service);

/* volo__root_ref(root), volo__root_unref(root): any thread; the latter is a
 * volo_free_fn. */
struct volo__root *volo__root_ref(struct volo__root *root);
void volo__root_unref(void *root);

#endif
