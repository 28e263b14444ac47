/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hierarchical timer wheel: 4 levels of 64 slots at 1, 64, 4096 and 262144
 * ms; starting and stopping is O(1), an empty wheel costs nothing.  Knows no
 * clock: it is told the time.
 *
 * A timer that is often put off (idle, read) need not be restarted: let its
 * function look at the real deadline and start again.
 */
#ifndef VOLO_BASE_WHEEL_H
#define VOLO_BASE_WHEEL_H

#include <stddef.h>
#include <stdint.h>

struct volo__alarm {
    struct volo__alarm *next; /* NULL if it is not set */
    struct volo__alarm *prev;
    uint64_t at; /* in milliseconds of the wheel's clock */
    void (*fire)(struct volo__alarm *alarm);
};

struct volo__wheel {
    struct volo__alarm slots[4][64]; /* list heads */
    struct volo__alarm past;         /* of those that were set too late */
    uint64_t used[4];                /* a bit for each slot that is not empty */
    uint64_t now;                    /* all up to here has fired */
    size_t count;
};

/* volo__later(from, by), volo__earliest(a, b): with times of which UINT64_MAX
 * is never. */
static inline uint64_t
volo__later(uint64_t from, uint64_t by)
{
    return by > UINT64_MAX - from ? UINT64_MAX : from + by;
}

static inline uint64_t
volo__earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* volo__wheel_init(wheel, now): an empty one. */
void volo__wheel_init(struct volo__wheel *wheel, uint64_t now);

/* volo__wheel_set(wheel, alarm, at): (re)start ${alarm}, whose fire is set and
 * whose next is NULL if it is new.  One that is past fires at the next
 * advance, before all others. */
void volo__wheel_set(struct volo__wheel *wheel, struct volo__alarm *alarm,
                     uint64_t at);

/* volo__wheel_clear(wheel, alarm): stop it; nothing if it is not set. */
void volo__wheel_clear(struct volo__wheel *wheel, struct volo__alarm *alarm);

/* volo__wheel_advance(wheel, now): fire all that is due by ${now}, in order of
 * time to the millisecond.  They may set and clear any alarm: what they set
 * to a time by ${now} fires too, unless that is past already. */
void volo__wheel_advance(struct volo__wheel *wheel, uint64_t now);

/* volo__wheel_next(wheel): when to advance next, at the latest; never later
 * than the earliest alarm; UINT64_MAX if none is set. */
uint64_t volo__wheel_next(const struct volo__wheel *wheel);

#endif
