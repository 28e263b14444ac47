// SPDX-License-Identifier: Apache-2.0

//go:build volo_static

package cvolo

// The archive stands before what pkg-config says, and has all that is asked
// for: then the shared library is not needed any more.

// #cgo pkg-config: --static libvolo
// #cgo LDFLAGS: -Wl,--as-needed -l:libvolo.a
import "C"
