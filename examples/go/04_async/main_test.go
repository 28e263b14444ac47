// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"libvolo/go/volo/volotest"
)

func TestWorkThatTakesLong(t *testing.T) {
	c := volotest.New(t, newRouter())
	if r := c.Get("/fib/20"); r.Text() != "6765\n" {
		t.Error(r)
	}
	if r := c.Get("/fib/41"); r.Status != 422 {
		t.Error(r)
	}
	if r := c.Get("/fib/many"); r.Status != 400 {
		t.Error(r)
	}
	if r := c.Get("/"); r.Text() != "try /fib/38\n" {
		t.Error(r)
	}
}
