// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

func TestHelloIsSaidOnAnyPath(t *testing.T) {
	r := volotest.New(t, volo.HandlerFunc(hello)).Get("/any/path")
	if r.Status != 200 || r.Text() != "Hello, World!\n" {
		t.Error(r)
	}
}
