// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

// get shows what a client gets.
func get(h volo.Handler, target string) {
	c, err := volotest.Open(h)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	r := c.Get(target)
	fmt.Println(r.Status, strings.TrimSuffix(r.Text(), "\n"))
}

func ExampleHandle() {
	type user struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	type input struct {
		ID   int64  `path:"id"`
		Name string `query:"name" default:"somebody"`
	}
	show := func(_ context.Context, in input) (user, error) {
		if in.ID == 0 {
			return user{}, volo.Error(404, "there is no user 0")
		}
		return user(in), nil
	}
	r := volo.NewRouter()
	r.Handle("GET", "/users/{id}", volo.Handle(show))
	get(r, "/users/7")
	get(r, "/users/0")
	get(r, "/users/seven")
	// Output:
	// 200 {"id":7,"name":"somebody"}
	// 404 Not Found: there is no user 0
	// 400 Bad Request
	// path id: must be an integer
}

func ExampleHTTP() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "Hello, "+r.PathValue("name")+"!")
	})
	get(volo.HTTP(mux), "/hello/world")
	// Output:
	// 200 Hello, world!
}

func ExampleResponse() {
	r := volo.NewRouter()
	volo.Get(r, "/", func(context.Context, struct{}) (volo.Response[string], error) {
		return volo.Response[string]{Status: 202, Body: "later"}, nil
	})
	get(r, "/")
	// Output:
	// 202 later
}
