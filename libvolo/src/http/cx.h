/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exchange from inside.  It is shared by three parties: the codec that
 * made it (on the home's thread), the chain of layers and services (the same
 * thread), and whoever owns it for the moment (any thread).
 *
 *   owners   references of the application; the chain has one while it calls
 *            the service, a body read one until its callback.  At zero the
 *            home is told: unanswered, it becomes 500.
 *   state    OPEN -> ANSWERED once, by whoever answers; atomic.
 *   codec    NULL once the codec has let go: finished, or cut off.
 *
 *   keeps    who only wants to read what there was.
 *
 * The memory goes back when owners are gone, the response has passed the
 * layers and the codec has let go; all three are known on the home's thread;
 * and when nobody keeps it.
 */
#ifndef VOLO_HTTP_CX_H
#define VOLO_HTTP_CX_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>

#include <volo/body.h>
#include <volo/cx.h>
#include <volo/error.h>
#include <volo/service.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/home.h"
#include "http/fields.h"

struct volo__tls_info;

/* Where a connection comes from, compact: a conn holds one for its life. */
struct volo__peer {
    uint8_t family; /* 0 none ("test"), 4, 6, 1 (Unix) */
    uint8_t tls;
    uint16_t port;
    uint8_t addr[16];
    struct volo__tls_info *tls_info; /* NULL without TLS */
};

struct volo__codec; /* http/codec.h */

enum volo__state { VOLO__OPEN = 0, VOLO__ANSWERED = 1 };

enum volo__body_mode {
    VOLO__BODY_UNREAD = 0, /* nobody has asked yet */
    VOLO__BODY_WHOLE,      /* collecting for volo_cx_read_body() */
    VOLO__BODY_STREAM,     /* going to a volo_chunk_fn */
    VOLO__BODY_PAUSED,     /* the same, held back */
    VOLO__BODY_READ,       /* whole, there */
    VOLO__BODY_DONE,       /* streamed to its end, or failed */
    VOLO__BODY_DISCARD     /* nobody will ask any more */
};

struct volo__body {
    uint8_t mode;
    uint8_t complete; /* the codec has given the end */
    uint8_t reading;  /* a reader has an owner's reference */
    uint8_t in_callback;
    int err;        /* it will never be complete */
    int64_t length; /* announced; 0 none; -1 unknown */
    uint64_t limit;
    uint64_t got;              /* octets received */
    volo_str data;             /* what is there of it, in WHOLE and READ */
    size_t cap;                /* of data.ptr if it is ours */
    struct volo__block *block; /* what data lies in, if in a read buffer */
    volo_body_fn whole_fn;
    volo_chunk_fn chunk_fn;
    void *user;
    struct volo__task resume;
    atomic_int resume_posted;
};

struct volo__frame {
    volo_response_fn fn;
    void *frame;
};

struct volo__ext {
    struct volo__ext *next;
    const void *key;
    void *value;
    volo_free_fn value_free;
};

struct volo__scope_link {
    struct volo__scope_link *outer;
    const struct volo__ext *states;
};

struct volo__hook {
    struct volo__hook *next;
    void (*fn)(volo_cx *cx, void *user);
    void *user;
    volo_free_fn user_free;
};

struct volo__request {
    uint8_t method;
    uint8_t version;  /* 10, 11, 20 */
    uint8_t expect;   /* 100-continue is awaited */
    uint8_t bad_path; /* set by the codec for targets without a path */
    volo_str method_name;
    volo_str target;
    volo_str path;
    volo_str original_path;
    volo_str query;
    volo_str authority;
    volo_str protocol; /* of an Extended CONNECT (RFC 8441) */
    volo_str pattern;
    struct volo__fields headers;
    struct volo__fields trailers;
    struct volo__fields params; /* id unused, names not lower-cased */
};

struct volo__response {
    uint16_t status;
    uint8_t sent; /* the codec has it: nothing may change */
    uint8_t streamed;
    struct volo__fields headers;
    volo_str body;
    volo_free_fn release;
    void *release_user;
    volo_writer *writer;
    int64_t length; /* of a streamed body; -1 unknown */
    volo_upgrade_fn upgrade_fn;
    void *upgrade_user;
    volo_str upgrade;
};

enum {
    VOLO__REQ_FIELDS = 16,
    VOLO__RES_FIELDS = 8,
    VOLO__FRAMES = 8,
    VOLO__LATE_ROOM = 128
};

struct volo_cx {
    struct volo__home *home;
    const struct volo__codec *codec;
    void *conn;          /* the codec's */
    volo_cx *next;       /* the codec's: in order of arrival */
    uint32_t codec_bits; /* the codec's */
    uint64_t codec_n;    /* the codec's */

    atomic_int owners;
    atomic_int keeps; /* who wants the memory; one of them is the exchange */
    atomic_int state;
    atomic_int canceled;
    uint8_t released; /* owners are gone, the home knows */
    uint8_t unwound;  /* the response has passed the layers */
    uint8_t unwinding;
    uint8_t suspended;
    uint8_t detached; /* the codec has let go */
    uint8_t finished; /* on_finish hooks have run */
    uint8_t given_up; /* an heir answers: the owner's answer is not wanted */
    uint8_t heirs;    /* exchanges that read this one's request */
    uint8_t over;     /* the exchange keeps its memory no more */

    struct volo__frame *frames;
    uint16_t frame_count;
    uint16_t frame_cap;
    uint16_t frame_floor; /* those below went to an heir */

    struct volo__arena arena; /* the owner's */
    struct volo__arena late;  /* the loop's: what comes after the head, hooks */
    struct volo__request req;
    struct volo__response res;
    struct volo__body body;

    struct volo__ext *exts;
    struct volo__ext *ext_base; /* from here on they are the elder's */
    struct volo__scope_link *scopes;
    struct volo__hook *cancels;
    struct volo__hook *finishes;
    volo_cx *elder;       /* what an heir took the request from, kept alive */
    uint64_t deadline_ms; /* on the home's clock; 0 none */
    uint64_t start_ns;
    uint64_t sent;
    const struct volo__peer *peer; /* the codec's, copied when served */
    struct volo__peer peer_copy;
    volo_str peer_ip;
    volo_str client_ip;
    uint32_t write_limit; /* octets waiting beyond which writers get EAGAIN */

    /* The codec's, for after it has let go: called when the cx is freed. */
    void (*gone)(void *user);
    void *gone_user;

    struct volo__passage *passage; /* through a layer behind a queue; or NULL */

    struct volo__task answer_task;
    struct volo__task release_task;
    struct volo__task resume_task;

    volo_pair req_room[VOLO__REQ_FIELDS];
    volo_pair res_room[VOLO__RES_FIELDS];
    char late_room[VOLO__LATE_ROOM];
    struct volo__frame frame_room[VOLO__FRAMES];
};

/*
 * volo__cx_new(home): a blank exchange in a slab of ${home}, with one owner
 * (the chain's), on its thread; NULL if out of memory.  Body limit UINT64_MAX.
 */
volo_cx *volo__cx_new(struct volo__home *home);

/* volo__cx_started(cx): the head is complete: its clock starts. */
void volo__cx_started(volo_cx *cx);

/*
 * volo__cx_discard(cx): free one that was never given to a service (a head
 * that was refused, a connection that died in the middle of one).
 */
void volo__cx_discard(volo_cx *cx);

/*
 * volo__cx_detach(cx): the codec lets go: the response has left (or is
 * given up).  Runs on_finish, and frees the cx when nobody else has it.
 */
void volo__cx_detach(volo_cx *cx);

/*
 * volo__cx_cancel(cx, err): the client has left before the response did.  The
 * codec calls this instead of detach: tells the hooks, a pending body read
 * (${err}), the writer; detaches.
 */
void volo__cx_cancel(volo_cx *cx, int err);

/*
 * volo__cx_tell_canceled(cx): run the hooks that wait for that, before it is
 * detached.  They may take references; so nobody is told where the last one
 * has gone already, which would come back to life and go a second time.
 */
void volo__cx_tell_canceled(volo_cx *cx);

/* volo__cx_settle(cx): one party more is done: when the response has passed
 * the layers and the codec has let go, runs on_finish; when the owners are gone
 * too, frees the cx. */
void volo__cx_settle(volo_cx *cx);

/* volo__cx_released(cx): the last owner has gone: on the home's thread. */
void volo__cx_released(volo_cx *cx);

#endif
