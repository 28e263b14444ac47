/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file as an answer: opened, measured and read on the loop's thread, piece
 * by piece as the client takes it.  A file that shrinks meanwhile cuts the
 * answer off; one that grows ends where it ended at first.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <volo/body.h>

#include "http/cx.h"
#include "reply/reply.h"

enum { PIECE = 32768 };

struct file {
    int fd;
    int unread; /* for HEAD, nobody will see it */
    uint64_t at;
    uint64_t left;
    char room[PIECE];
};

static void
file_close(void *user)
{
    struct file *file = user;

    close(file->fd);
    volo__free(file);
}

static int
file_read(volo_writer *w, void *user)
{
    struct file *file = user;
    size_t want = file->left < PIECE ? (size_t)file->left : PIECE;
    ssize_t n;
    int err;

    if (!file->left)
        return 0;
    if (file->unread)
        return VOLO_ECANCELED;
    do
        n = pread(file->fd, file->room, want, (off_t)file->at);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return VOLO_EIO;

    /* Refused pieces are read again: the cache has them. */
    err = volo_writer_write(w, volo_str_make(file->room, (size_t)n));
    if (err == VOLO_EAGAIN)
        return 1;
    if (err)
        return err;
    file->at += (uint64_t)n;
    file->left -= (uint64_t)n;
    return file->left ? 1 : 0;
}

static int
status_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case ENXIO: /* a socket, a device of nothing */
        return 404;
    case EACCES:
    case EPERM:
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    default:
        return 500;
    }
}

/* Never blocks on what is no file (a FIFO, a device). */
static int
open_regular(const char *path, struct stat *st, int *status)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        *status = status_of(errno);
        return -1;
    }
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    *status = 404;
    close(fd);
    return -1;
}

static int
set_head(volo_cx *cx, const char *path, const char *type, const struct stat *st)
{
    volo_str name = volo_str_of(path);
    char date[32];
    int err;

    if (!type)
        type = volo_mime_of(name.ptr, name.len);
    err = volo_cx_set_header(cx, "content-type", volo_str_of(type));
    if (err)
        return err;
    volo_date_format(date, (int64_t)st->st_mtime);
    return volo_cx_set_header(cx, "last-modified", volo_str_of(date));
}

int
volo_reply_file(volo_cx *cx, const char *path, const char *type)
{
    struct file *file;
    struct stat st;
    int status = 500, fd, err = volo__reply_late(cx);

    if (err)
        return err;
    if (!path)
        return volo__reply_failed(cx, VOLO_EINVAL);
    fd = open_regular(path, &st, &status);
    if (fd < 0)
        return volo_reply_problem(cx, status, NULL);
    file = volo__malloc(sizeof *file);
    err = file ? set_head(cx, path, type, &st) : VOLO_ENOMEM;
    if (err) {
        close(fd);
        volo__free(file);
        return volo__reply_failed(cx, err);
    }
    file->fd = fd;
    file->unread = volo_cx_method(cx) == VOLO_HEAD;
    file->at = 0;
    file->left = (uint64_t)st.st_size;
    err = volo_cx_answer_source(cx, (int64_t)st.st_size, file_read, file,
                                file_close);
    return err == VOLO_ENOMEM ? volo__reply_failed(cx, err) : err;
}
