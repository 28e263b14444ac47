/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Torture: a scenario is played again and again, each time with another
 * allocation failing, until it passes without one having failed.  Whatever
 * fails, nothing may be lost, used after its end, or waited for in vain.
 */
#ifndef VOLO_TESTS_TORTURE_H
#define VOLO_TESTS_TORTURE_H

#include <volo.h>

/* A scenario cleans up after itself and returns 0, or the first error it got;
 * only VOLO_ENOMEM, or what an exchange makes of it, is excused. */
struct torture_scenario {
    const char *name;
    int (*play)(void);
};

/* torture_fail(format...): this must not happen even without memory. */
void torture_fail(const char *what);

/* torture_get(service, path, body): ask in memory; 0 if the answer is 200
 * with ${body}, VOLO_ENOMEM if it is 500 or 503; all else is a failure. */
int torture_get(volo_service *service, const char *path, const char *body);

/* torture_ask(service, method, path, text, chunk, body): the same with a
 * request's body, in pieces of ${chunk} if that is not 0. */
int torture_ask(volo_service *service, const char *method, const char *path,
                const char *text, size_t chunk, const char *body);

extern const struct torture_scenario torture_services[];
extern const struct torture_scenario torture_bodies[];
extern const struct torture_scenario torture_codecs[];
extern const struct torture_scenario torture_servers[];

#endif
