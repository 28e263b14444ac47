// SPDX-License-Identifier: Apache-2.0

// The smallest service.
//
//	curl localhost:8080/any/path
package main

import (
	"libvolo/examples/go/serve"
	"libvolo/go/volo"
)

func hello(c *volo.Ctx) error { return c.Text("Hello, World!\n") }

func main() { serve.Main(volo.HandlerFunc(hello)) }
