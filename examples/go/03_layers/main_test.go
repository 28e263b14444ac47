// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"strings"
	"testing"

	"libvolo/go/volo/volotest"
)

func TestLayersWrapWhatTheyStandAround(t *testing.T) {
	c := volotest.New(t, newRouter())
	r := c.Get("/")
	if r.Status != 200 || !strings.HasPrefix(r.Header.Get("Server-Timing"), "total;dur=") ||
		len(r.Header.Get("X-Request-Id")) != 36 {
		t.Error(r)
	}
	if r = c.Get("/nothing"); r.Status != 404 || r.Header.Get("X-Request-Id") == "" {
		t.Error(r)
	}
	if r = c.Get("/admin/"); r.Status != 403 {
		t.Error(r)
	}
	key := http.Header{"X-Key": {"sesame"}}
	if r = c.Do(volotest.Request{Target: "/admin/", Header: key}); r.Status != 200 {
		t.Error(r)
	}
	if r = c.Do(volotest.Request{Target: "/admin/never", Header: key}); r.Status != 504 {
		t.Error(r)
	}
}
