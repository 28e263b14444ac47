/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timer wheel.  An alarm lies in the lowest level whose ring it shares
 * with the present: where it agrees with it in all higher digits (of 6 bits).
 * So a slot below the top never holds anything but the future of this turn,
 * and the lowest used level has the earliest alarm.  The top level goes round;
 * what is too far even for it waits in its last slot and is looked at again
 * from there.
 */
#include "base/wheel.h"

enum { LEVELS = 4, TOP = LEVELS - 1, BITS = 6, SLOTS = 1 << BITS };

static void
list_init(struct volo__alarm *head)
{
    head->next = head->prev = head;
}

static void
list_append(struct volo__alarm *head, struct volo__alarm *alarm)
{
    alarm->next = head;
    alarm->prev = head->prev;
    head->prev->next = alarm;
    head->prev = alarm;
}

/* Move all of ${from} to ${to}, which need not be initialised. */
static void
list_move(struct volo__alarm *to, struct volo__alarm *from)
{
    list_init(to);
    if (from->next == from)
        return;
    to->next = from->next;
    to->prev = from->prev;
    to->next->prev = to->prev->next = to;
    list_init(from);
}

/* The bit of a slot goes with its last alarm.  Who is last has the head on
 * both sides, and from its address follows the slot. */
static void
unlink_alarm(struct volo__wheel *wheel, struct volo__alarm *alarm)
{
    struct volo__alarm *head = alarm->next;
    struct volo__alarm *first = wheel->slots[0];
    uintptr_t n = ((uintptr_t)head - (uintptr_t)first) / sizeof *head;

    if (head == alarm->prev && (uintptr_t)head >= (uintptr_t)first &&
        n < (uintptr_t)LEVELS * SLOTS)
        wheel->used[n / SLOTS] &= ~(UINT64_C(1) << n % SLOTS);
    alarm->next->prev = alarm->prev;
    alarm->prev->next = alarm->next;
    alarm->next = NULL;
}

static void
put(struct volo__wheel *wheel, struct volo__alarm *alarm)
{
    uint64_t now = wheel->now, at = alarm->at, slot;
    unsigned level = 0;

    while (level < TOP && (at ^ now) >> BITS * (level + 1))
        level++;
    slot = at >> BITS * level;
    if (level == TOP && slot - (now >> BITS * TOP) >= SLOTS)
        slot = (now >> BITS * TOP) + SLOTS - 1;
    slot %= SLOTS;
    wheel->used[level] |= UINT64_C(1) << slot;
    list_append(&wheel->slots[level][slot], alarm);
}

void
volo__wheel_init(struct volo__wheel *wheel, uint64_t now)
{
    unsigned level, slot;

    for (level = 0; level < LEVELS; level++) {
        for (slot = 0; slot < SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
        wheel->used[level] = 0;
    }
    list_init(&wheel->past);
    wheel->now = now;
    wheel->count = 0;
}

void
volo__wheel_set(struct volo__wheel *wheel, struct volo__alarm *alarm,
                uint64_t at)
{
    volo__wheel_clear(wheel, alarm);
    alarm->at = at;
    if (at <= wheel->now)
        list_append(&wheel->past, alarm);
    else
        put(wheel, alarm);
    wheel->count++;
}

void
volo__wheel_clear(struct volo__wheel *wheel, struct volo__alarm *alarm)
{
    if (!alarm->next)
        return;
    unlink_alarm(wheel, alarm);
    wheel->count--;
}

/* When the first slot that is used begins; UINT64_MAX if none is. */
static uint64_t
next_slot(const struct volo__wheel *wheel)
{
    uint64_t now = wheel->now, turn, used;
    unsigned level, here;

    for (level = 0; level < TOP; level++) {
        if (!wheel->used[level])
            continue;
        turn = now >> BITS * (level + 1) << BITS;
        turn += (unsigned)__builtin_ctzll(wheel->used[level]);
        return turn << BITS * level;
    }
    used = wheel->used[TOP];
    if (!used)
        return UINT64_MAX;

    /* Turn the ring so that the slot after the present one comes first. */
    turn = (now >> BITS * TOP) + 1;
    here = turn % SLOTS;
    if (here)
        used = used >> here | used << (SLOTS - here);
    return (turn + (unsigned)__builtin_ctzll(used)) << BITS * TOP;
}

static void
fire_all(struct volo__wheel *wheel, struct volo__alarm *due)
{
    struct volo__alarm *alarm;

    while ((alarm = due->next) != due) {
        unlink_alarm(wheel, alarm);
        wheel->count--;
        alarm->fire(alarm);
    }
}

/* The time is now ${now}, where a slot begins: what lies in the slots of the
 * upper levels that begin here finds its place below. */
static void
cascade(struct volo__wheel *wheel, uint64_t now)
{
    struct volo__alarm list, *alarm;
    unsigned level, slot;

    wheel->now = now;
    for (level = TOP; level > 0; level--) {
        slot = now >> BITS * level & (SLOTS - 1);
        if (!(wheel->used[level] >> slot & 1))
            continue;
        wheel->used[level] &= ~(UINT64_C(1) << slot);
        list_move(&list, &wheel->slots[level][slot]);
        while ((alarm = list.next) != &list) {
            unlink_alarm(wheel, alarm);
            put(wheel, alarm);
        }
    }
}

void
volo__wheel_advance(struct volo__wheel *wheel, uint64_t now)
{
    struct volo__alarm due;
    uint64_t next;
    unsigned slot;

    if (wheel->past.next != &wheel->past) {
        list_move(&due, &wheel->past);
        fire_all(wheel, &due);
    }
    while ((next = next_slot(wheel)) <= now && next != UINT64_MAX) {
        cascade(wheel, next);
        slot = next % SLOTS;
        wheel->used[0] &= ~(UINT64_C(1) << slot);
        list_move(&due, &wheel->slots[0][slot]);
        fire_all(wheel, &due);
    }
    if (now > wheel->now)
        wheel->now = now;
}

uint64_t
volo__wheel_next(const struct volo__wheel *wheel)
{
    if (wheel->past.next != &wheel->past)
        return wheel->now;
    return next_slot(wheel);
}
