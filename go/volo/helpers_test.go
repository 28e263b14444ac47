// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"libvolo/go/volo"
)

// running is a server on a free port, stopped at the end of the test.
type running struct {
	*volo.Server
	t    *testing.T
	url  string
	http *http.Client
	over chan error
}

// serve starts s, which listens on a port of its own unless it listens already.
func serve(t *testing.T, s *volo.Server) *running {
	t.Helper()
	if s.Workers == 0 {
		s.Workers = 2
	}
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return begin(t, s, "http", &http.Transport{MaxIdleConnsPerHost: 256})
}

// begin has s, which listens, serve until the end of the test.
func begin(t *testing.T, s *volo.Server, scheme string, transport *http.Transport) *running {
	r := &running{Server: s, t: t, url: fmt.Sprintf("%s://127.0.0.1:%d", scheme, s.Port(0)),
		over: make(chan error, 1)}
	r.http = &http.Client{Transport: transport, Timeout: time.Minute}
	go func() { r.over <- s.Serve() }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		r.stop()
	})
	return r
}

// stop stops it and waits for Serve.
func (r *running) stop() {
	r.t.Helper()
	if r.over == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.Shutdown(ctx); err != nil {
		r.t.Error("Shutdown:", err)
	}
	if err := <-r.over; err != volo.ErrServerClosed {
		r.t.Error("Serve:", err)
	}
	r.over = nil
}

// get asks for a path, and gives status and body.
func (r *running) get(path string) (int, string) {
	r.t.Helper()
	resp, err := r.http.Get(r.url + path)
	if err != nil {
		r.t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Error(err)
	}
	return resp.StatusCode, string(body)
}

// want asks for a path and compares.
func (r *running) want(path string, status int, body string) {
	r.t.Helper()
	if s, b := r.get(path); s != status || b != body {
		r.t.Errorf("%s: %d %q, want %d %q", path, s, b, status, body)
	}
}

// logs catches what is logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logs) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// eventually waits until something is so, but not for ever.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 30_000 {
		if ok() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Fatalf("never: %s\n%s", what, buf[:runtime.Stack(buf, true)])
}

func text(s string) volo.HandlerFunc {
	return func(c *volo.Ctx) error { return c.Text(s) }
}

// tag is middleware that leaves its name in a header, on the way in and out.
func tag(name string) volo.Middleware {
	return func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			if err := c.AddHeader("X-In", name); err != nil {
				return err
			}
			return next.ServeVolo(c)
		})
	}
}

// shortly lets others go on; nothing depends on how long it takes.
func shortly() { time.Sleep(time.Millisecond) }

func writeFile(path string, content []byte) error { return os.WriteFile(path, content, 0o600) }

func isErrno(err error, errno syscall.Errno) bool { return errors.Is(err, errno) }
