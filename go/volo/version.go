// SPDX-License-Identifier: Apache-2.0

package volo

import "libvolo/go/volo/internal/cvolo"

// Version is that of the library of C which is loaded, such as "0.1.0".
func Version() string { return cvolo.Volo_version_text() }
