/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the text of an address to a socket that listens there.  Knows no loop
 * and no resolver: names other than "localhost" are not addresses.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "net/listener.h"
#include "net/loop.h"

enum { BACKLOG = 4096 }; /* until volo__listener_open() says otherwise */

/* Where words about a failure go. */
struct words {
    const char *text; /* the address in question */
    char *why;
    size_t size;
};

static int
refuse(const struct words *w, int err, const char *what)
{
    if (w->size)
        snprintf(w->why, w->size, "%s: %s", w->text, what);
    return err;
}

/* ${err} is an errno. */
static int
refuse_errno(const struct words *w, int err, const char *what)
{
    char name[96], text[160];

    uv_strerror_r(-err, name, sizeof name);
    snprintf(text, sizeof text, "%s: %s", what, name);
    return refuse(w, volo__net_error(err), text);
}

static void
set_flag(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value);
}

static int
is_tcp(const struct sockaddr_storage *addr)
{
    return addr->ss_family == AF_INET || addr->ss_family == AF_INET6;
}

/* Options that accepted sockets inherit, or that matter before bind. */
static int
new_tcp(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (family == AF_INET6)
        set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    return fd;
}

int
volo__address_socket(const struct volo__address *a)
{
    int fd, err;

    fd = new_tcp(a->addr.ss_family);
    if (fd < 0)
        return fd;
    set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (bind(fd, (const struct sockaddr *)&a->addr, a->len) == 0)
        return fd;
    err = -errno;
    close(fd);
    return err;
}

/* Bind and listen; SO_REUSEPORT only afterwards, so that an address that
 * somebody else has is an error and not half of his connections. */
static int
listen_tcp(struct volo__address *a)
{
    int fd, err;

    fd = new_tcp(a->addr.ss_family);
    if (fd < 0)
        return -fd;
    a->fd = fd;
    if (bind(fd, (struct sockaddr *)&a->addr, a->len) < 0)
        goto err0;
    set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    a->len = sizeof a->addr;
    if (listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&a->addr, &a->len) < 0)
        goto err0;
    return 0;

err0:
    err = errno;
    close(fd);
    return err;
}

static void
set_ipv4(struct volo__address *a, in_addr_t host, uint64_t port)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&a->addr;

    memset(&a->addr, 0, sizeof a->addr);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(host);
    in->sin_port = htons((uint16_t)port);
    a->len = sizeof *in;
}

static void
set_ipv6(struct volo__address *a, struct in6_addr host, uint64_t port)
{
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)&a->addr;

    memset(&a->addr, 0, sizeof a->addr);
    in->sin6_family = AF_INET6;
    in->sin6_addr = host;
    in->sin6_port = htons((uint16_t)port);
    a->len = sizeof *in;
}

/* The machine does not do this family. */
static int
is_missing(int err)
{
    return err == EAFNOSUPPORT || err == EADDRNOTAVAIL;
}

/* ":port" */
static int
bind_any(struct volo__address *a, uint64_t port)
{
    int err;

    set_ipv6(a, in6addr_any, port);
    err = listen_tcp(a);
    if (!is_missing(err))
        return err;
    set_ipv4(a, INADDR_ANY, port);
    return listen_tcp(a);
}

/* "localhost:port" */
static int
bind_local(struct volo__address *a, uint64_t port)
{
    int err;

    set_ipv4(a, INADDR_LOOPBACK, port);
    err = listen_tcp(a);
    if (!is_missing(err))
        return err;
    set_ipv6(a, in6addr_loopback, port);
    return listen_tcp(a);
}

/* "127.0.0.1" or "[::1]": 1 if ${host} is one. */
static int
parse_host(struct volo__address *a, volo_str host, uint64_t port)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr in6;
    struct in_addr in4;
    int bracket =
        host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';

    if (bracket)
        host = volo_str_make(host.ptr + 1, host.len - 2);
    if (host.len >= sizeof text)
        return 0;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    if (bracket && inet_pton(AF_INET6, text, &in6) == 1)
        set_ipv6(a, in6, port);
    else if (!bracket && inet_pton(AF_INET, text, &in4) == 1)
        set_ipv4(a, ntohl(in4.s_addr), port);
    else
        return 0;
    return 1;
}

static int
bind_tcp(struct volo__address *a, const struct words *w)
{
    const char *colon = strrchr(w->text, ':');
    volo_str host, port_text;
    uint64_t port;
    int err;

    if (!colon)
        return refuse(w, VOLO_EINVAL,
                      "not an address: host:port, :port, unix:path or fd:n "
                      "is needed");
    host = volo_str_make(w->text, (size_t)(colon - w->text));
    port_text = volo_str_of(colon + 1);
    if (port_text.len > 5 || volo__u64_parse(&port, port_text) < 0 ||
        port > 65535)
        return refuse(w, VOLO_EINVAL, "the port is not one of 0 to 65535");
    if (host.len == 0)
        err = bind_any(a, port);
    else if (volo_str_eq(host, VOLO_STR("localhost")))
        err = bind_local(a, port);
    else if (parse_host(a, host, port))
        err = listen_tcp(a);
    else
        return refuse(w, VOLO_EINVAL,
                      "the host is not an IPv4 address, an IPv6 address in "
                      "brackets, or localhost");
    return err ? refuse_errno(w, err, "cannot listen") : 0;
}

/* The address of "path" or "@name". */
static int
set_unix(struct volo__address *a, const char *path, const struct words *w)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&a->addr;
    size_t len = strlen(path);

    if (len == 0 || (path[0] == '@' && len == 1))
        return refuse(w, VOLO_EINVAL, "the path is empty");
    if (len >= sizeof un->sun_path)
        return refuse(w, VOLO_EINVAL, "the path is too long for a socket");
    memset(&a->addr, 0, sizeof a->addr);
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, len);
    a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (path[0] == '@')
        un->sun_path[0] = '\0';
    else
        a->len++; /* the NUL */
    return 0;
}

/* Does nobody listen there any more?  Only a refused connection proves it. */
static int
is_stale(const struct volo__address *a)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&a->addr;
    struct stat st;
    int fd, refused;

    if (un->sun_path[0] == '\0' || lstat(un->sun_path, &st) < 0 ||
        !S_ISSOCK(st.st_mode))
        return 0;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    refused = connect(fd, (const struct sockaddr *)&a->addr, a->len) < 0 &&
              errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static int
bind_over(int fd, const struct volo__address *a)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&a->addr;

    if (bind(fd, (const struct sockaddr *)&a->addr, a->len) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return errno;
    if (!is_stale(a))
        return EADDRINUSE;
    unlink(un->sun_path);
    if (bind(fd, (const struct sockaddr *)&a->addr, a->len) == 0)
        return 0;
    return errno;
}

static int
bind_unix(struct volo__address *a, const char *path, const struct words *w)
{
    struct stat st;
    int fd, err;

    err = set_unix(a, path, w);
    if (err < 0)
        return err;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return refuse_errno(w, errno, "cannot make a socket");
    err = bind_over(fd, a);
    if (err == 0 && listen(fd, BACKLOG) < 0)
        err = errno;
    if (err) {
        close(fd);
        return refuse_errno(w, err, "cannot listen");
    }
    a->fd = fd;
    a->shared = 1;
    if (path[0] != '@' && lstat(path, &st) == 0) {
        a->owned_path = 1;
        a->dev = st.st_dev;
        a->ino = st.st_ino;
    }
    return 0;
}

static int
take_fd(struct volo__address *a, const char *number, const struct words *w)
{
    int fd, flags, listening = 0;
    socklen_t len = sizeof listening;
    uint64_t n;

    if (volo__u64_parse(&n, volo_str_of(number)) < 0 || n > INT32_MAX)
        return refuse(w, VOLO_EINVAL, "not the number of a descriptor");
    fd = (int)n;
    flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return refuse(w, VOLO_EINVAL, "no such descriptor is open");
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 ||
        !listening)
        return refuse(w, VOLO_EINVAL, "not a listening socket");
    a->len = sizeof a->addr;
    if (getsockname(fd, (struct sockaddr *)&a->addr, &a->len) < 0 ||
        fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return refuse_errno(w, errno, "cannot take it over");
    if (is_tcp(&a->addr))
        set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    a->fd = fd;
    a->shared = 1;
    return 0;
}

int
volo__address_bind(struct volo__address *out, const char *text, char *why,
                   size_t why_size)
{
    struct words w = {text, why, why_size};
    struct volo__address a;
    int err;

    memset(&a, 0, sizeof a);
    if (strncmp(text, "unix:", 5) == 0)
        err = bind_unix(&a, text + 5, &w);
    else if (strncmp(text, "fd:", 3) == 0)
        err = take_fd(&a, text + 3, &w);
    else
        err = bind_tcp(&a, &w);
    if (err == 0)
        *out = a;
    return err;
}

int
volo__address_port(const struct volo__address *a)
{
    if (a->addr.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&a->addr)->sin_port);
    if (a->addr.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&a->addr)->sin6_port);
    return 0;
}

void
volo__address_close(struct volo__address *a)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&a->addr;
    struct stat st;

    if (a->fd < 0)
        return;
    /* Another server may have taken the place meanwhile: let it be. */
    if (a->owned_path && lstat(un->sun_path, &st) == 0 && st.st_dev == a->dev &&
        st.st_ino == a->ino)
        unlink(un->sun_path);
    close(a->fd);
    a->fd = -1;
}
