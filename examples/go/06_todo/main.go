// SPDX-License-Identifier: Apache-2.0

// A JSON service: create, read, update and delete.
//
//	curl --json '{"title":"write a service"}' localhost:8080/todos
//	curl localhost:8080/todos
//	curl -X PATCH --json '{"done":true}' localhost:8080/todos/1
//	curl -X DELETE localhost:8080/todos/1
package main

import "libvolo/examples/go/serve"

func main() { serve.Main(newRouter()) }
