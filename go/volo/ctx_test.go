// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

var modes = map[string]volo.Mode{
	"goroutine": volo.Goroutine, "worker": volo.Worker, "inline": volo.Inline,
}

func TestARequestIsReadInEveryMode(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			r := volo.NewRouter()
			r.SetMode(mode)
			r.Post("/a/{id}/{*rest}", func(c *volo.Ctx) error {
				body, err := c.Body()
				if err != nil {
					return err
				}
				major, minor := c.Proto()
				params := ""
				for name, value := range c.Params() {
					params += name + "=" + value + ";"
				}
				missing, there := c.LookupQuery("none")
				return c.Text(fmt.Sprintf("%s %s %s|%s|%s|%s %s|%s %v|%q %v|%s|%s|%q|%d.%d|%s|%s|%v",
					c.Method(), c.Path(), c.RawQuery(), c.Pattern(), params, c.Param("id"), c.Param("rest"),
					c.Query("q"), c.QueryAll("t"), missing, there, c.Header("X-Thing"), c.Cookie("session"),
					body, major, minor, c.Host(), c.RemoteAddr(), c.HeaderAll("x-many")))
			})
			got := volotest.New(t, r).Do(volotest.Request{
				Method: "POST", Target: "/a/x%2Fy/b/c?q=1%202&t=a&t=b+c&none", Body: []byte("content"),
				Peer: "192.0.2.7", Header: http.Header{
					"X-Thing": {"Value"}, "Cookie": {"a=b; session=s1"}, "X-Many": {"1", "2"}, "Host": {"example.org"},
				},
			}).Text()
			want := `POST /a/x%2Fy/b/c q=1%202&t=a&t=b+c&none|/a/{id}/{*rest}|id=x/y;rest=b/c;|x/y b/c|` +
				`1 2 [a b c]|"" true|Value|s1|"content"|1.1|example.org|192.0.2.7:40000|[1 2]`
			if got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

func TestAnswersOfEveryKind(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 20_000)
	cases := []struct {
		name    string
		handler volo.HandlerFunc
		status  int
		kind    string
		body    string
	}{
		{"text", func(c *volo.Ctx) error { return c.Text("x") }, 200, "text/plain; charset=utf-8", "x"},
		{"html", func(c *volo.Ctx) error { return c.HTML("<p>") }, 200, "text/html; charset=utf-8", "<p>"},
		{"bytes", func(c *volo.Ctx) error { return c.Bytes("a/b", []byte{0, 1}) }, 200, "a/b", "\x00\x01"},
		{"string", func(c *volo.Ctx) error { return c.String("", "s") }, 200, "application/octet-stream", "s"},
		{"json", func(c *volo.Ctx) error { return c.Status(201).JSON(map[string]int{"a": 1}) }, 201, "application/json", `{"a":1}`},
		{"no content", func(c *volo.Ctx) error { return c.NoContent() }, 204, "", ""},
		{"nothing", func(*volo.Ctx) error { return nil }, 200, "", ""},
		{"only a status", func(c *volo.Ctx) error { c.Status(202); return nil }, 202, "", ""},
		{"large text", func(c *volo.Ctx) error { return c.Text(large) }, 200, "text/plain; charset=utf-8", large},
		{"large bytes", func(c *volo.Ctx) error { return c.Bytes("a/b", []byte(large)) }, 200, "a/b", large},
		{"the last one counts", func(c *volo.Ctx) error { _ = c.Text(large); return c.Text("y") }, 200, "text/plain; charset=utf-8", "y"},
		{"a type of one's own", func(c *volo.Ctx) error {
			if err := c.SetHeader("Content-Type", "text/css"); err != nil {
				return err
			}
			return c.Text("x")
		}, 200, "text/css", "x"},
	}
	r := volo.NewRouter()
	for i, tc := range cases {
		for name, mode := range modes {
			r.Get(fmt.Sprintf("/%d/%s", i, name), tc.handler, volo.InMode(mode))
		}
	}
	c := volotest.New(t, r)
	for i, tc := range cases {
		for name := range modes {
			got := c.Get(fmt.Sprintf("/%d/%s", i, name))
			if got.Status != tc.status || got.Header.Get("Content-Type") != tc.kind || got.Text() != tc.body {
				t.Errorf("%s, %s: %d %q, %d octets", tc.name, name, got.Status, got.Header.Get("Content-Type"), len(got.Body))
			}
		}
	}
}

func TestARedirectEncodesWhatMayNotStandInAReference(t *testing.T) {
	r := volo.NewRouter()
	r.Get("/", func(c *volo.Ctx) error { return c.Redirect(303, "/a b?c=\xc3\xa9\r\nX: y") })
	r.Get("/bad", func(c *volo.Ctx) error { return c.Redirect(200, "/") })
	c := volotest.New(t, r)
	if got := c.Get("/"); got.Status != 303 || got.Header.Get("Location") != "/a%20b?c=%C3%A9%0D%0AX:%20y" {
		t.Error(got)
	}
	if got := c.Get("/bad"); got.Status != 500 {
		t.Error(got)
	}
}

func TestFieldsOfAnAnswer(t *testing.T) {
	r := volo.NewRouter()
	var errs []error
	r.Get("/", func(c *volo.Ctx) error {
		errs = []error{
			c.SetHeader("X-A", "1"), c.SetHeader("x-a", "2"), c.AddHeader("X-A", "3"), c.AddHeader("X-B", "b"),
			c.AddHeader("X-C", "c"), c.SetCookie(&http.Cookie{Name: "n", Value: "v", Path: "/"}),
			c.AddHeader("Set-Cookie", "o=p"),
			// and what is refused
			c.SetHeader("Bad Name", "x"), c.SetHeader("X", "a\r\nb"), c.SetHeader("X", "a\x00"), c.SetHeader("", "x"),
			c.SetHeader("Content-Length", "7"), c.AddHeader("connection", "close"), c.SetHeader("Transfer-Encoding", "chunked"),
			c.SetHeader("Keep-Alive", "x"), c.SetHeader("UPGRADE", "x"),
		}
		c.RemoveHeader("x-C")
		if c.ResponseHeader("x-b") != "b" || c.ResponseHeader("x-c") != "" {
			t.Error("not what was set")
		}
		return c.Text("")
	})
	h := volotest.New(t, r).Get("/").Header
	if !slices.Equal(h["X-A"], []string{"2", "3"}) || h.Get("X-B") != "b" || h["X-C"] != nil ||
		!slices.Equal(h["Set-Cookie"], []string{"n=v; Path=/", "o=p"}) {
		t.Error(h)
	}
	for i, err := range errs {
		if want := i >= 7; (err != nil) != want || (want && !errors.Is(err, volo.ErrInvalid)) {
			t.Error(i, err)
		}
	}
}

func TestHeadersThatAreTooLargeAreAnsweredWith500(t *testing.T) {
	var l logs
	r := volo.NewRouter()
	r.Get("/long", func(c *volo.Ctx) error {
		_ = c.SetHeader("X", strings.Repeat("x", 70_000))
		return c.Text("never")
	})
	r.Get("/many", func(c *volo.Ctx) error {
		for i := range 600 {
			_ = c.AddHeader(fmt.Sprint("X-", i), "x")
		}
		return c.Text("never")
	})
	c := volotest.New(t, &volo.Server{Handler: r, Logger: l.logger()})
	for _, path := range []string{"/long", "/many"} {
		if got := c.Get(path); got.Status != 500 || got.Text() != "Internal Server Error\n" {
			t.Error(path, got.Status, got.Text())
		}
	}
	if !strings.Contains(l.String(), "too large") {
		t.Error(l.String())
	}
}

func TestACtxThatIsKeptSaysSo(t *testing.T) {
	var kept *volo.Ctx
	r := volo.NewRouter()
	r.Get("/keep", func(c *volo.Ctx) error { kept = c; return c.Text("ok") })
	r.Get("/other", func(c *volo.Ctx) error {
		defer func() {
			if got := fmt.Sprint(recover()); !strings.Contains(got, "after its handler has returned") {
				t.Error(got)
			}
			_ = c.Text("caught")
		}()
		return kept.Text("stolen")
	})
	c := volotest.New(t, r)
	c.Get("/keep")
	for _, use := range []func(){
		func() { kept.Path() }, func() { kept.Status(200) }, func() { kept.Header("x") }, func() { _, _ = kept.Body() },
		func() { kept.Context() }, func() { kept.Writer() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			use()
		}()
	}
	if got := c.Get("/other").Text(); got != "caught" {
		t.Error(got)
	}
}

func TestStringsOfARequestMayBeKept(t *testing.T) {
	var kept []string
	r := volo.NewRouter()
	r.Post("/{id}", func(c *volo.Ctx) error {
		body, _ := c.Body()
		all := c.HeaderAll("X-H")
		kept = []string{c.Param("id"), c.Path(), c.Query("q"), c.Header("X-H"), string(body), c.Target(), all[0], c.Cookie("k")}
		return c.Text("")
	})
	c := volotest.New(t, r)
	ask := func(s string) {
		c.Do(volotest.Request{Method: "POST", Target: "/" + s + "?q=" + s, Body: []byte(s),
			Header: http.Header{"X-H": {s}, "Cookie": {"k=" + s}}})
	}
	ask("first")
	first := kept
	for range 100 {
		ask("other")
	}
	want := []string{"first", "/first", "first", "first", "first", "/first?q=first", "first", "first"}
	if !slices.Equal(first, want) {
		t.Error(first)
	}
}
