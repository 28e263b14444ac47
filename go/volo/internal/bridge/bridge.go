// SPDX-License-Identifier: Apache-2.0

// Package bridge lets package volotest into package volo, without a door for
// everybody.
package bridge

import "libvolo/go/volo/internal/cvolo"

// Start makes a volo.Handler ready to be served, and gives the service that it
// is and what ends it.  Package volo sets it.
var Start func(handler any) (service cvolo.Volo_service, stop func(), err error)
