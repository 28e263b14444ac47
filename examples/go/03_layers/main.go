// SPDX-License-Identifier: Apache-2.0

// Layers: an access log and a request id around everything, a clock of our
// own, and a group of routes behind a key and a timeout.
//
//	curl -i localhost:8080/
//	curl -i localhost:8080/admin/             403
//	curl -i -H 'X-Key: sesame' localhost:8080/admin/
//	curl -i -H 'X-Key: sesame' localhost:8080/admin/never   504
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"libvolo/examples/go/serve"
	"libvolo/go/volo"
)

func home(c *volo.Ctx) error { return c.Text("everybody may see this\n") }

func admin(c *volo.Ctx) error { return c.Text("only who has the key sees this\n") }

// never waits until nobody waits for it any more.
func never(c *volo.Ctx) error {
	<-c.Context().Done()
	return c.Context().Err()
}

// clock is a layer of our own: on with the request, and back with the
// response, which can still be changed.
func clock(next volo.Handler) volo.Handler {
	return volo.HandlerFunc(func(c *volo.Ctx) error {
		start := time.Now()
		err := next.ServeVolo(c)
		if c.Streamed() {
			return err
		}
		text := fmt.Sprintf("total;dur=%.3f", time.Since(start).Seconds()*1000)
		return errors.Join(err, c.SetHeader("Server-Timing", text))
	})
}

func needsKey(key string) volo.Middleware {
	return func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			if c.Header("X-Key") != key {
				return volo.Error(403, "")
			}
			return next.ServeVolo(c)
		})
	}
}

// within gives the handlers inside it that much time.
func within(limit time.Duration) volo.Middleware {
	return func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			ctx, cancel := context.WithTimeout(c.Context(), limit)
			defer cancel()
			c.SetContext(ctx)
			err := next.ServeVolo(c)
			if errors.Is(err, context.DeadlineExceeded) {
				return volo.Error(504, "")
			}
			return err
		})
	}
}

func newRouter() *volo.Router {
	r := volo.NewRouter()

	// Layers of libvolo stand outside those of Go.  The first added is the
	// outermost, and all of them wrap every route, also those added later.
	r.UseNative(volo.AccessLog(volo.LogCommon, os.Stdout), volo.RequestID("", false))
	r.Use(clock)
	r.Get("/", home)

	group := r.Group("/admin", nil)
	group.Use(needsKey("sesame"), within(200*time.Millisecond))
	group.Get("/", admin)
	group.Get("/never", never)
	return r
}

func main() { serve.Main(newRouter()) }
