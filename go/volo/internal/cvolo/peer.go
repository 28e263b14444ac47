// SPDX-License-Identifier: Apache-2.0

package cvolo

/*
#include "go.h"

#cgo noescape volo_cx_peer_ip
#cgo nocallback volo_cx_peer_ip
#cgo noescape volo_cx_peer_port
#cgo nocallback volo_cx_peer_port
#cgo noescape volo_cx_body_limit
#cgo nocallback volo_cx_body_limit
*/
import "C"

import (
	"math"
	"unsafe"
)

// Peer is the other end of the connection: its address, and its port, 0 where
// there is none.
func Peer(p unsafe.Pointer) (ip Str, port int) {
	return str(C.volo_cx_peer_ip(cx(p))), int(C.volo_cx_peer_port(cx(p)))
}

// BodyLimit is how much the body may have.
func BodyLimit(p unsafe.Pointer) int64 {
	return int64(min(uint64(C.volo_cx_body_limit(cx(p))), math.MaxInt64))
}
