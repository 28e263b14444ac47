// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

func TestBodiesOfAnySize(t *testing.T) {
	c := volotest.New(t, newRouter())
	big := bytes.Repeat([]byte("x"), 5<<20) // more than a server takes unasked
	r := c.Do(volotest.Request{Method: "PUT", Target: "/upload", Body: big})
	if r.Status != 200 || !strings.HasPrefix(r.Text(), "5242880 octets, sum ") {
		t.Error(r)
	}
	r = c.Get("/download/3000000")
	if len(r.Body) != 3000000 || r.Header.Get("Content-Length") != "3000000" {
		t.Error(r.Status, len(r.Body), r.Header)
	}
	if r = c.Get("/download/99999999999999999999"); r.Status != 422 {
		t.Error(r)
	}
	if r = c.Get("/count"); r.Text() != "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n" {
		t.Error(r)
	}
}

func TestWhoLeavesInTheMiddleTakesNothingWithHim(t *testing.T) {
	c := volotest.New(t, newRouter())
	_, err := c.Send(volotest.Request{Target: "/count", Leave: 150 * time.Millisecond})
	if !errors.Is(err, volo.ErrCanceled) {
		t.Error(err)
	}
	if r := c.Get("/download/1"); r.Text() != "v" {
		t.Error(r)
	}
}
