// SPDX-License-Identifier: Apache-2.0

// The routes of the benchmark through package volo, on goroutines or, with
// MODE=inline, on the loops' threads.
package main

import (
	"log"
	"os"
	"runtime"
	"strconv"

	"libvolo/go/volo"
)

type message struct {
	Message string `json:"message"`
}

func env(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

func plaintext(c *volo.Ctx) error { return c.String("text/plain", "Hello, World!") }

func noop(next volo.Handler) volo.Handler {
	return volo.HandlerFunc(func(c *volo.Ctx) error {
		return next.ServeVolo(c)
	})
}

func main() {
	threads := env("THREADS", 1)
	runtime.GOMAXPROCS(threads)
	r := volo.NewRouter()
	switch os.Getenv("MODE") {
	case "inline":
		r.SetMode(volo.Inline)
	case "worker":
		r.SetMode(volo.Worker)
	}
	r.Get("/plaintext", plaintext)
	r.Get("/json", func(c *volo.Ctx) error {
		return c.JSON(message{"Hello, World!"})
	})
	r.Get("/users/{id}/posts/{post}", func(c *volo.Ctx) error {
		return c.String("text/plain", c.Param("id")+" "+c.Param("post"))
	})
	r.Post("/echo", func(c *volo.Ctx) error {
		body, err := c.Body()
		if err != nil {
			return err
		}
		return c.Bytes("application/octet-stream", body)
	})
	r.Get("/query", func(c *volo.Ctx) error {
		a, _ := strconv.Atoi(c.Query("a"))
		b, _ := strconv.Atoi(c.Query("b"))
		return c.String("text/plain", strconv.Itoa(a+b))
	})
	r.Get("/layers", plaintext, volo.With(noop, noop, noop, noop, noop))
	s := &volo.Server{
		Addr:    "127.0.0.1:" + strconv.Itoa(env("PORT", 8080)),
		Handler: r, Workers: threads,
	}
	log.Fatal(s.ListenAndServe())
}
