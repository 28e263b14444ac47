// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"libvolo/go/volo"
	"libvolo/go/volo/internal/cvolo"
	"libvolo/go/volo/volotest"
)

func TestCodesAreThoseOfC(t *testing.T) {
	for n := -1; n >= -31; n-- {
		code := volo.Code(n)
		if got, want := code.Error(), "volo: "+cvolo.Volo_strerror(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
		if got, want := code.StatusCode(), cvolo.Volo_error_status(n); got != want {
			t.Errorf("%d: %d, want %d", n, got, want)
		}
	}
	if got := cvolo.Volo_error_name(-32); got != "unknown" {
		t.Errorf("there is %s, which package volo does not know", got)
	}
	if got := volo.Code(-32).Error(); got != "volo: error -32" {
		t.Error(got)
	}
}

func TestCodesAreWhatGoCallsThem(t *testing.T) {
	for code, is := range map[volo.Code]error{
		volo.ErrCanceled: context.Canceled, volo.ErrTimedOut: os.ErrDeadlineExceeded, volo.ErrNotFound: fs.ErrNotExist,
		volo.ErrNotImpl: errors.ErrUnsupported, volo.ErrClosed: fs.ErrClosed,
	} {
		if err := fmt.Errorf("wrapped: %w", code); !errors.Is(err, is) || !errors.Is(err, code) || errors.Is(err, volo.ErrIO) {
			t.Error(code)
		}
	}
}

// nothing is a pointer that nobody has set.
var nothing *struct{ Sub volo.HandlerFunc }

func TestErrorsOfHandlersBecomeAnswers(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			var l logs
			r := volo.NewRouter()
			r.SetMode(mode)
			r.Get("/http", func(*volo.Ctx) error {
				return &volo.HTTPError{Status: 429, Detail: "slowly", Header: http.Header{"Retry-After": {"7"}}}
			})
			r.Get("/wrapped", func(*volo.Ctx) error { return fmt.Errorf("in: %w", volo.Error(404, "no such thing")) })
			r.Get("/code", func(*volo.Ctx) error { return volo.ErrTooBig })
			r.Get("/any", func(*volo.Ctx) error { return errors.New("secret") })
			r.Get("/after", func(c *volo.Ctx) error { _ = c.Status(201).Text("half"); return errors.New("secret") })
			r.Get("/panic", func(*volo.Ctx) error { panic("secret") })
			r.Get("/nil", func(c *volo.Ctx) error { return nothing.Sub.ServeVolo(c) })
			r.Get("/json", func(c *volo.Ctx) error { return c.JSON(func() {}) })
			r.Get("/ok", text("ok"))
			c := volotest.New(t, &volo.Server{Handler: r, Logger: l.logger()})
			for path, want := range map[string]string{
				"/http": "429 Too Many Requests: slowly\n", "/wrapped": "404 Not Found: no such thing\n",
				"/code": "413 Content Too Large\n", "/any": "500 Internal Server Error\n",
				"/after": "500 Internal Server Error\n", "/panic": "500 Internal Server Error\n",
				"/nil": "500 Internal Server Error\n", "/json": "500 Internal Server Error\n", "/ok": "200 ok",
			} {
				r := c.Get(path)
				if got := fmt.Sprint(r.Status, " ", r.Text()); got != want {
					t.Errorf("%s: %q, want %q", path, got, want)
				}
			}
			if got := c.Get("/http").Header.Get("Retry-After"); got != "7" {
				t.Error(got)
			}
			for _, words := range []string{"path=/panic", "secret", "errors_test.go", "path=/any", "nil pointer dereference"} {
				if !strings.Contains(l.String(), words) {
					t.Errorf("the log says nothing of %s", words)
				}
			}
			if strings.Contains(l.String(), "slowly") {
				t.Error("the log tells of what is no failure")
			}
		})
	}
}

func TestAnErrorHandlerOfOnesOwnAnswers(t *testing.T) {
	boom := errors.New("boom")
	r := volo.NewRouter()
	r.Get("/error", func(*volo.Ctx) error { return boom })
	r.Get("/panic", func(*volo.Ctx) error { panic(boom) })
	r.Get("/worse", func(*volo.Ctx) error { return errors.New("worse") })
	s := &volo.Server{Handler: r, Logger: new(logs).logger(), ErrorHandler: func(c *volo.Ctx, err error) {
		var p *volo.PanicError
		if !errors.Is(err, boom) {
			panic("the error handler too")
		}
		_ = c.Status(599).Text(fmt.Sprint(errors.As(err, &p), c.Path()))
	}}
	c := volotest.New(t, s)
	for path, want := range map[string]string{"/error": "599 false/error", "/panic": "599 true/panic", "/worse": "500 Internal Server Error\n"} {
		r := c.Get(path)
		if got := fmt.Sprint(r.Status, " ", r.Text()); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestAnAbortCutsTheExchangeOff(t *testing.T) {
	var l logs
	r := volo.NewRouter()
	r.Get("/error", func(*volo.Ctx) error { return volo.ErrAbort })
	r.Get("/panic", func(*volo.Ctx) error { panic(http.ErrAbortHandler) })
	r.Get("/late", func(c *volo.Ctx) error {
		_, _ = c.Writer().WriteString("some")
		_ = c.Writer().Flush()
		return volo.ErrAbort
	})
	r.Get("/early", func(c *volo.Ctx) error { _, _ = c.Writer().WriteString("some"); c.Writer().Abort(); return nil })
	r.Get("/ok", text("ok"))
	s := serve(t, &volo.Server{Handler: r, Logger: l.logger()})
	for _, path := range []string{"/error", "/panic", "/late", "/early"} {
		resp, err := s.http.Get(s.url + path)
		if err == nil {
			_, err = resp.Body.Read(make([]byte, 100))
			for err == nil {
				_, err = resp.Body.Read(make([]byte, 100))
			}
			if err.Error() == "EOF" {
				t.Error(path, "ended as if all was well")
			}
			resp.Body.Close()
		}
	}
	s.want("/ok", 200, "ok")
	if l.String() != "" {
		t.Error(l.String())
	}
}

func TestGoexitInAHandlerIsAnsweredWith500(t *testing.T) {
	r := volo.NewRouter()
	r.Get("/exit", func(*volo.Ctx) error { runtime.Goexit(); return nil })
	r.Get("/ok", text("ok"))
	c := volotest.New(t, &volo.Server{Handler: r, Logger: new(logs).logger()})
	for range 5 {
		if got := c.Get("/exit"); got.Status != 500 {
			t.Error(got)
		}
		if got := c.Get("/ok"); got.Text() != "ok" {
			t.Error(got)
		}
	}
}
