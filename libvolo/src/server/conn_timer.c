/* SPDX-License-Identifier: Apache-2.0 */
/* How long each state of a connection may last. */
#include "server/conn.h"

static uint64_t
later(uint64_t from, uint64_t by)
{
    return by > UINT64_MAX - from ? UINT64_MAX : from + by;
}

static uint64_t
earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A body has a longest gap and, after ten seconds, a least rate. */
static uint64_t
body_due(const struct volo__conn *c)
{
    uint64_t rate = volo__conn_option(c, VOLO_SERVER_BODY_RATE);
    uint64_t due =
        later(c->last_in, volo__conn_option(c, VOLO_SERVER_BODY_TIMEOUT));

    if (rate == 0 || rate == UINT64_MAX)
        return due;
    return earliest(due, later(c->since + 10000, c->phase_in * 1000 / rate));
}

/* What the codec or, if it does not say, its phase waits for. */
static uint64_t
phase_due(const struct volo__conn *c)
{
    uint64_t at = UINT64_MAX;

    if (c->wire->ops->due && c->phase != VOLO__WIRE_CLOSING)
        return c->wire->ops->due(c->wire);
    switch (c->phase) {
    case VOLO__WIRE_IDLE:
        at = later(c->since,
                   volo__conn_option(c, c->wire->requests
                                            ? VOLO_SERVER_IDLE_TIMEOUT
                                            : VOLO_SERVER_HEAD_TIMEOUT));
        break;
    case VOLO__WIRE_HEAD:
        at = later(c->since, volo__conn_option(c, VOLO_SERVER_HEAD_TIMEOUT));
        break;
    case VOLO__WIRE_BODY:
        at = body_due(c);
        break;
    case VOLO__WIRE_CLOSING:
        if (c->shut)
            at = later(c->since,
                       volo__conn_option(c, VOLO_SERVER_LINGER_TIMEOUT));
        break;
    default:
        break;
    }
    return at;
}

/* One that has not asked yet has a moment when a stop begins. */
static uint64_t
fresh_due(const struct volo__conn *c)
{
    if (c->wire->requests || (!c->stage && c->phase != VOLO__WIRE_IDLE))
        return UINT64_MAX;
    return c->worker->fresh_until;
}

static uint64_t
stage_due(const struct volo__conn *c)
{
    int which = c->stage == VOLO__CONN_SNIFFS ? VOLO_SERVER_HEAD_TIMEOUT
                                              : VOLO_SERVER_HANDSHAKE_TIMEOUT;

    return later(c->since, volo__conn_option(c, which));
}

/* When this connection has had its time, as things stand. */
uint64_t
volo__conn_due(const struct volo__conn *c)
{
    uint64_t at = c->stage ? stage_due(c) : phase_due(c);

    at = earliest(at, fresh_due(c));
    if (!c->stage && volo__stream_waiting(&c->stream))
        at = earliest(at,
                      later(c->last_out,
                            volo__conn_option(c, VOLO_SERVER_WRITE_TIMEOUT)));
    return at;
}

/* The alarm may be too early, never too late: being put off costs nothing. */
void
volo__conn_arm(struct volo__conn *c)
{
    uint64_t at = volo__conn_due(c);

    /* Places for handshakes come free as time goes by. */
    if (c->stage == VOLO__CONN_QUEUED)
        at = earliest(at, c->stream.home->now_ms + 1000);
    if (at != UINT64_MAX && (!c->alarm.next || at < c->alarm.at))
        volo__wheel_set(&c->stream.home->wheel, &c->alarm, at);
}
