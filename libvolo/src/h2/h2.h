/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 of one server connection (RFC 9113), between octets and exchanges, in
 * the shape that http/wire.h gives a codec.  Sees no socket.  All on the
 * home's thread.
 *
 * A stream is an exchange.  All of them run beside each other; what each may
 * send follows from its window and its priority, what it may receive from how
 * far its reader has come.  Anything malformed costs its stream, anything that
 * a peer does too often costs the connection.
 */
#ifndef VOLO_H2_H2_H
#define VOLO_H2_H2_H

#include "http/wire.h"

/*
 * volo__h2_new(out, config, host, home, outq, peer):
 * For one connection; our SETTINGS are in the queue when it returns.  Its first
 * input is the client's preface.  ops->close() frees it, whatever calls there
 * are to it further up.  All arguments outlive it.  VOLO_ENOMEM;
 * VOLO_ENOTIMPL if the library that is linked is too old.
 */
int volo__h2_new(struct volo__wire **out,
                 const struct volo__wire_config *config,
                 const struct volo__wire_host *host, struct volo__home *home,
                 struct volo__outq *outq, const struct volo__peer *peer);

/*
 * volo__h2_adopt(wire, cx, settings):
 * Right behind volo__h2_new(): ${cx} came in HTTP/1 and asks for an upgrade to
 * h2c with these ${settings} (the HTTP2-Settings field).  It becomes stream 1,
 * its request complete; its former codec has let go of it, and the caller
 * serves it.  VOLO_EINVAL: they are not valid, ${cx} is as it was, and ${wire}
 * is good for nothing but being closed; VOLO_ENOMEM: the same.
 */
int volo__h2_adopt(struct volo__wire *wire, volo_cx *cx, volo_str settings);

#endif
