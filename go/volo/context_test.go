// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

type key string

func TestTheContextEndsWhenTheClientLeaves(t *testing.T) {
	began, ended := make(chan bool, 1), make(chan error, 1)
	r := volo.NewRouter()
	r.Get("/done", func(c *volo.Ctx) error {
		began <- true
		<-c.Context().Done()
		ended <- context.Cause(c.Context())
		return c.Text("late") // thrown away
	})
	r.Get("/derived", func(c *volo.Ctx) error {
		ctx, cancel := context.WithTimeout(c.Context(), time.Hour)
		defer cancel()
		began <- true
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	})
	r.Get("/polled", func(c *volo.Ctx) error {
		began <- true
		for c.Context().Err() == nil {
			shortly()
		}
		ended <- c.Context().Err()
		return nil
	})
	r.Get("/stream", func(c *volo.Ctx) error {
		_ = c.Writer().Flush()
		began <- true
		<-c.Context().Done()
		ended <- c.Context().Err()
		return c.Context().Err()
	})
	var l logs
	s := serve(t, &volo.Server{Handler: r, Logger: l.logger()})
	for _, path := range []string{"/done", "/derived", "/polled", "/stream"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		<-began
		conn.Close()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(path, err)
		}
	}
	s.stop()
	if l.String() != "" {
		t.Error("that clients leave is no failure:", l.String())
	}
}

func TestTheContextEndsWithTheHandlerAndMayBeKept(t *testing.T) {
	var kept, waited context.Context
	r := volo.NewRouter()
	r.Get("/", func(c *volo.Ctx) error {
		c.Set(key("a"), 1)
		kept = c.Context()
		if kept.Err() != nil {
			t.Error("ended before")
		}
		return c.Text("")
	})
	told := make(chan bool, 2)
	r.Get("/waited", func(c *volo.Ctx) error {
		waited = c.Context()
		waited.Done()
		context.AfterFunc(waited, func() { told <- true })
		if stop := context.AfterFunc(waited, func() { t.Error("it was stopped") }); !stop() {
			t.Error("not stopped")
		}
		return c.Text("")
	})
	c := volotest.New(t, r)
	c.Get("/")
	c.Get("/waited")
	<-told
	for _, ctx := range []context.Context{kept, waited} {
		if ctx.Err() != context.Canceled {
			t.Error(ctx.Err())
		}
		<-ctx.Done()
		if _, ok := ctx.Deadline(); ok {
			t.Error("a deadline from nowhere")
		}
	}
	if kept.Value(key("a")) != 1 {
		t.Error("its values are gone")
	}
	context.AfterFunc(kept, func() { told <- true })
	<-told
}

func TestATimeoutCancelsTheHandler(t *testing.T) {
	ended := make(chan error, 1)
	r := volo.NewRouter()
	r.UseNative(volo.Timeout(20*time.Millisecond, 0))
	r.Get("/", func(c *volo.Ctx) error {
		at, ok := c.Deadline()
		if via, also := c.Context().Deadline(); !ok || !also || time.Until(at) > 20*time.Millisecond || via.Before(at.Add(-time.Second)) {
			t.Error(at, ok, via, also)
		}
		<-c.Context().Done()
		ended <- c.Context().Err()
		return c.Text("late")
	})
	c := volotest.New(t, r)
	if got := c.Get("/"); got.Status != 504 {
		t.Error(got)
	}
	if err := <-ended; err != context.Canceled {
		t.Error(err)
	}
}

func TestValuesGoInwards(t *testing.T) {
	r := volo.NewRouter()
	r.Use(func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			if c.Value(key("base")) != "b" || c.Value(key("none")) != nil {
				t.Error("not the server's")
			}
			c.Set(key("set"), "s")
			own := c.Context()
			c.SetContext(context.WithValue(own, key("with"), "w"))
			err := next.ServeVolo(c)
			c.SetContext(own)
			if c.Value(key("with")) != nil {
				t.Error("not taken back")
			}
			return err
		})
	})
	r.Get("/", func(c *volo.Ctx) error {
		ctx := c.Context()
		return c.Text(fmt.Sprint(c.Value(key("base")), c.Value(key("set")), c.Value(key("with")), ctx.Value(key("set")), ctx.Value(key("base"))))
	})
	c := volotest.New(t, &volo.Server{Handler: r, BaseContext: context.WithValue(context.Background(), key("base"), "b")})
	if got := c.Get("/").Text(); got != "bswsb" {
		t.Error(got)
	}
}

func TestTheEndOfTheBaseContextIsThatOfAll(t *testing.T) {
	base, cancel := context.WithCancelCause(context.Background())
	began := make(chan bool)
	r := volo.NewRouter()
	r.Get("/", func(c *volo.Ctx) error {
		done := c.Context().Done()
		began <- true
		<-done
		return c.Text(c.Context().Err().Error())
	})
	c := volotest.New(t, &volo.Server{Handler: r, BaseContext: base})
	go func() { <-began; cancel(nil) }()
	if got := c.Get("/").Text(); got != "context canceled" {
		t.Error(got)
	}
}
