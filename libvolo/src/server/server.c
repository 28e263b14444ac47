/* SPDX-License-Identifier: Apache-2.0 */
/* Making and setting up a server; what it does then is in run.c. */
#include "server/server.h"

#include <sched.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

/* What an option may be, and what it is unless set (DESIGN: limits). */
static const struct {
    uint64_t value, least, most;
} options[VOLO__SERVER_OPTIONS] = {
    [VOLO_SERVER_WORKERS] = {0, 0, 1024},
    [VOLO_SERVER_MAX_CONNECTIONS] = {65536, 1, UINT64_MAX},
    [VOLO_SERVER_MAX_PER_ADDRESS] = {UINT64_MAX, 1, UINT64_MAX},
    [VOLO_SERVER_BODY_LIMIT] = {2 << 20, 0, UINT64_MAX},
    [VOLO_SERVER_HEAD_LIMIT] = {16 << 10, 64, 16 << 20},
    [VOLO_SERVER_FIELD_LIMIT] = {100, 1, 65535},
    [VOLO_SERVER_TARGET_LIMIT] = {8 << 10, 1, 16 << 20},
    [VOLO_SERVER_HEAD_TIMEOUT] = {10000, 1, UINT64_MAX},
    [VOLO_SERVER_IDLE_TIMEOUT] = {60000, 1, UINT64_MAX},
    [VOLO_SERVER_BODY_TIMEOUT] = {30000, 1, UINT64_MAX},
    [VOLO_SERVER_BODY_RATE] = {500, 0, UINT64_MAX},
    [VOLO_SERVER_WRITE_TIMEOUT] = {30000, 1, UINT64_MAX},
    [VOLO_SERVER_STOP_TIMEOUT] = {30000, 0, UINT64_MAX},
    [VOLO_SERVER_PIPELINE_LIMIT] = {64, 1, 65535},
    [VOLO_SERVER_WRITE_BUFFER] = {64 << 10, 1024, 1 << 30},
    [VOLO_SERVER_LINGER_TIMEOUT] = {5000, 1, UINT64_MAX},
    [VOLO_SERVER_BACKLOG] = {4096, 1, 65535},
    [VOLO_SERVER_HALF_CLOSE] = {0, 0, 1},
    [VOLO_SERVER_SIGNALS] = {0, 0, 1},
    [VOLO_SERVER_REQUESTS_PER_CONNECTION] = {UINT64_MAX, 1, UINT64_MAX},
    [VOLO_SERVER_TRAILER_LIMIT] = {16 << 10, 0, 16 << 20},
    [VOLO_SERVER_CHUNK_EXT_LIMIT] = {16 << 10, 0, 16 << 20},
    [VOLO_SERVER_HTTP2] = {1, 0, 1},
    [VOLO_SERVER_STREAM_LIMIT] = {128, 1, 65535},
    [VOLO_SERVER_HANDSHAKE_TIMEOUT] = {10000, 1, UINT64_MAX},
    [VOLO_SERVER_HANDSHAKE_LIMIT] = {1024, 1, UINT64_MAX},
    [VOLO_SERVER_RELOAD_SIGNAL] = {0, 0, 1},
    [VOLO_SERVER_HTTP1] = {1, 0, 1},
};

int
volo_server_new(volo_server **out, volo_service *service)
{
    volo_server *server;
    size_t i;

    if (!service)
        return VOLO_EINVAL;
    server = volo__calloc(sizeof *server);
    if (!server)
        return VOLO_ENOMEM;
    if (volo__root_new(&server->root, service)) {
        volo__free(server);
        return VOLO_ENOMEM;
    }
    for (i = 0; i < VOLO__SERVER_OPTIONS; i++)
        server->options[i] = options[i].value;
    *out = server;
    return 0;
}

static void
free_hooks(volo_server *server)
{
    struct volo__stop_hook *hook = server->stop_hooks, *next;

    for (; hook; hook = next) {
        next = hook->next;
        if (hook->user_free)
            hook->user_free(hook->user);
        volo__free(hook);
    }
}

void
volo__server_forget_workers(volo_server *server)
{
    unsigned i;

    for (i = 0; i < server->worker_count; i++)
        volo__worker_forget(&server->workers[i]);

    /* Another thread may be running them, as a dead home's guest. */
    while (atomic_load(&server->posted))
        sched_yield();
    volo__free(server->workers);
}

void
volo__server_destroy(volo_server *server)
{
    size_t i;

    for (i = 0; i < server->address_count; i++)
        volo__address_close(&server->addresses[i]);
    volo__server_forget_workers(server);
    for (i = 0; i < server->address_count; i++) {
        volo_tls_unref(server->ports[i].tls);
        volo__networks_fini(&server->ports[i].trusted);
    }
    volo__free(server->ports);
    volo__free(server->addresses);
    volo__addresses_fini(&server->per_address);
    free_hooks(server);
    if (server->thread_free)
        server->thread_free(server->thread_user);
    volo__root_unref(server->root);
    volo__free(server->name);
    volo__free(server);
}

int
volo_server_add_layer(volo_server *server, volo_layer *layer)
{
    return volo_service_add_layer(&server->root->around, layer);
}

int
volo_server_layer(volo_server *server, volo_layer_fn fn, void *user,
                  volo_free_fn user_free)
{
    return volo_service_layer(&server->root->around, fn, user, user_free);
}

int
volo_server_set_state(volo_server *server, const void *key, void *value,
                      volo_free_fn value_free)
{
    if (volo__server_is_new(server))
        return volo__states_add(&server->root->states, key, value, value_free);
    if (value_free)
        value_free(value);
    return VOLO_EBUSY;
}

int
volo_server_set(volo_server *server, int option, uint64_t value)
{
    if (!volo__server_is_new(server))
        return VOLO_EBUSY;
    if (option <= 0 || option >= VOLO__SERVER_OPTIONS ||
        value < options[option].least || value > options[option].most)
        return VOLO_EINVAL;
    server->options[option] = value;
    return 0;
}

int
volo_server_get(uint64_t *out, const volo_server *server, int option)
{
    if (option <= 0 || option >= VOLO__SERVER_OPTIONS)
        return VOLO_EINVAL;
    *out = server->options[option];
    return 0;
}

int
volo_server_set_name(volo_server *server, const char *name)
{
    volo_str s = volo_str_of(name);
    char *copy = NULL;

    if (!volo__server_is_new(server))
        return VOLO_EBUSY;
    if (name) {
        if (s.len == 0 || s.len > 256 || !volo__is_field_value(s))
            return VOLO_EINVAL;
        copy = volo__strndup(s.ptr, s.len);
        if (!copy)
            return VOLO_ENOMEM;
    }
    volo__free(server->name);
    server->name = copy;
    return 0;
}

int
volo_server_on_thread(volo_server *server, volo_task_fn start,
                      volo_task_fn stop, void *user, volo_free_fn user_free)
{
    int err = 0;

    if (!volo__server_is_new(server))
        err = VOLO_EBUSY;
    else if (server->thread_start || server->thread_stop || server->thread_free)
        err = VOLO_EEXIST;
    if (err) {
        if (user_free)
            user_free(user);
        return err;
    }
    server->thread_start = start;
    server->thread_stop = stop;
    server->thread_user = user;
    server->thread_free = user_free;
    return 0;
}

int
volo_server_on_stop(volo_server *server, volo_task_fn fn, void *user,
                    volo_free_fn user_free)
{
    struct volo__stop_hook **end = &server->stop_hooks, *hook = NULL;
    int err = !fn ? VOLO_EINVAL : volo__server_is_new(server) ? 0 : VOLO_EBUSY;

    if (!err) {
        hook = volo__malloc(sizeof *hook);
        if (!hook)
            err = VOLO_ENOMEM;
    }
    if (err) {
        if (user_free)
            user_free(user);
        return err;
    }
    while (*end)
        end = &(*end)->next;
    hook->next = NULL;
    hook->fn = fn;
    hook->user = user;
    hook->user_free = user_free;
    *end = hook;
    return 0;
}

uint64_t
volo_server_stat(const volo_server *server, int id)
{
    uint64_t sum = 0;
    unsigned i;

    if (id <= 0 || id >= VOLO__STATS)
        return 0;
    if (id == VOLO_STAT_RELOADS)
        return atomic_load(&server->reloads);
    if (id == VOLO_STAT_RELOADS_FAILED)
        return atomic_load(&server->reloads_failed);
    for (i = 0; i < server->worker_count; i++)
        sum += atomic_load_explicit(&server->workers[i].stats[id],
                                    memory_order_relaxed);
    return sum;
}

const char *
volo_server_error(const volo_server *server)
{
    return server->error;
}
