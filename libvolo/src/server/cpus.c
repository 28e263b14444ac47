/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many loops are worth having: processors, as far as affinity and cgroup
 * let us use them.
 */
#include "server/cpus.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

unsigned
volo__cpu_quota(const char *text)
{
    volo_str rest = volo_str_of(text), quota, period;
    const char *space = memchr(rest.ptr, ' ', rest.len);
    uint64_t q, p;

    if (!space)
        return 0;
    quota = volo_str_make(rest.ptr, (size_t)(space - rest.ptr));
    period = volo_str_of(space + 1);
    if (period.len && period.ptr[period.len - 1] == '\n')
        period.len--;
    if (volo__u64_parse(&q, quota) || volo__u64_parse(&p, period) || p == 0 ||
        q == 0 || q > UINT64_MAX - p)
        return 0;
    q = (q + p - 1) / p;
    return q > 65536 ? 0 : (unsigned)q;
}

static ssize_t
read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -1;
    n = read(fd, out, size - 1);
    close(fd);
    if (n >= 0)
        out[n] = 0;
    return n;
}

/* Version 2's cpu.max at the root of our cgroup namespace, else version 1's
 * two files. */
static unsigned
cgroup_limit(void)
{
    char text[128], period[64];
    ssize_t n;

    if (read_file("/sys/fs/cgroup/cpu.max", text, sizeof text) > 0)
        return volo__cpu_quota(text);
    n = read_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", text, 60);
    if (n <= 0 || read_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period,
                            sizeof period) <= 0)
        return 0;
    if (text[n - 1] == '\n')
        n--;
    text[n] = ' ';
    memcpy(text + n + 1, period, strlen(period) + 1);
    return volo__cpu_quota(text);
}

unsigned
volo__cpu_count(void)
{
    unsigned limit = cgroup_limit();
    unsigned n = 1;
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = (unsigned)CPU_COUNT(&set);
    if (limit && limit < n)
        n = limit;
    return n ? n : 1;
}
