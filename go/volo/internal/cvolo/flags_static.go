// SPDX-License-Identifier: Apache-2.0

//go:build volo_static

package cvolo

// #cgo pkg-config: --static libvolo-static
import "C"
