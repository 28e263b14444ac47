/* SPDX-License-Identifier: Apache-2.0 */
/* How many loops this process has processors for. */
#ifndef VOLO_SERVER_CPUS_H
#define VOLO_SERVER_CPUS_H

/* volo__cpu_count(): the processors this process may run on, no more than its
 * cgroup has time for (rounded up); at least 1. */
unsigned volo__cpu_count(void);

/* volo__cpu_quota(text): what the content of a cgroup v2 cpu.max allows, in
 * processors, rounded up; 0 for no limit or nonsense. */
unsigned volo__cpu_quota(const char *text);

#endif
