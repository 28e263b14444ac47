// SPDX-License-Identifier: Apache-2.0

// Work that takes long: each handler has a goroutine, so it may block or
// compute, while the loops of libvolo go on.
//
//	curl localhost:8080/fib/38        some tenths of a second
//	curl localhost:8080/              meanwhile, at once
package main

import (
	"context"
	"fmt"

	"libvolo/examples/go/serve"
	"libvolo/go/volo"
)

func home(c *volo.Ctx) error { return c.Text("try /fib/38\n") }

// fib is slow on purpose.
func fib(n uint64) uint64 {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

type fibInput struct {
	N uint64 `path:"n"`
}

func (in fibInput) Validate() error {
	if in.N > 40 {
		return volo.Invalid{Field: "n", In: "path", Reason: "must be at most 40"}
	}
	return nil
}

func showFib(_ context.Context, in fibInput) (string, error) {
	return fmt.Sprintln(fib(in.N)), nil
}

func newRouter() *volo.Router {
	r := volo.NewRouter()
	r.Get("/", home)
	volo.Get(r, "/fib/{n}", showFib)
	return r
}

func main() { serve.Main(newRouter()) }
