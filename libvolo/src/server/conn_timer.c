/* SPDX-License-Identifier: Apache-2.0 */
/* How long each state of a connection may last. */
#include "server/conn.h"

/* What the codec or, if it does not say, its phase waits for. */
static uint64_t
phase_due(const struct volo__conn *c)
{
    uint64_t at = UINT64_MAX;

    if (c->wire->ops->due && c->phase != VOLO__WIRE_CLOSING)
        return c->wire->ops->due(c->wire);
    switch (c->phase) {
    case VOLO__WIRE_IDLE:
        at = volo__later(c->since,
                         volo__conn_option(c, c->wire->requests
                                                  ? VOLO_SERVER_IDLE_TIMEOUT
                                                  : VOLO_SERVER_HEAD_TIMEOUT));
        break;
    case VOLO__WIRE_HEAD:
        at = volo__later(c->since,
                         volo__conn_option(c, VOLO_SERVER_HEAD_TIMEOUT));
        break;
    case VOLO__WIRE_BODY:
        at = volo__wire_body_due(c->wire->config, c->since, c->last_in,
                                 c->phase_in);
        break;
    case VOLO__WIRE_CLOSING:
        if (c->shut)
            at = volo__later(c->since,
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

/* It is the stop that ends it, and no time-out. */
int
volo__conn_is_stopped(const struct volo__conn *c)
{
    return fresh_due(c) <= c->stream.home->now_ms;
}

static uint64_t
stage_due(const struct volo__conn *c)
{
    int which = c->stage == VOLO__CONN_SNIFFS ? VOLO_SERVER_HEAD_TIMEOUT
                                              : VOLO_SERVER_HANDSHAKE_TIMEOUT;

    return volo__later(c->since, volo__conn_option(c, which));
}

/* When this connection has had its time, as things stand. */
uint64_t
volo__conn_due(const struct volo__conn *c)
{
    uint64_t at = c->stage ? stage_due(c) : phase_due(c);

    at = volo__earliest(at, fresh_due(c));
    if (!c->stage && volo__stream_waiting(&c->stream))
        at = volo__earliest(
            at, volo__later(c->last_out,
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
        at = volo__earliest(at, c->stream.home->now_ms + 1000);
    if (at != UINT64_MAX && (!c->alarm.next || at < c->alarm.at))
        volo__wheel_set(&c->stream.home->wheel, &c->alarm, at);
}
