// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

// panics gives what f panics with; empty if it does not.
func panics(f func()) (words string) {
	defer func() {
		if value := recover(); value != nil {
			words = fmt.Sprint(value)
		}
	}()
	f()
	return ""
}

// in are the names that tags have left, outermost first.
func in(r *volotest.Response) string { return strings.Join(r.Header["X-In"], " ") }

func TestEveryMethodFindsItsHandler(t *testing.T) {
	r := volo.NewRouter()
	for name, add := range map[string]func(string, volo.HandlerFunc, ...volo.RouteOption){
		"GET": r.Get, "POST": r.Post, "PUT": r.Put, "PATCH": r.Patch, "DELETE": r.Delete, "OPTIONS": r.Options, "any": r.Any,
	} {
		add("/x", text(name))
	}
	r.Handle("PURGE", "/x", text("PURGE"))
	r.Head("/head", func(c *volo.Ctx) error { _ = c.SetHeader("X-Head", "1"); return c.Text("") })
	r.Get("/head", text("body"))
	c := volotest.New(t, r)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"} {
		if got := c.Do(volotest.Request{Method: method, Target: "/x"}).Text(); got != method {
			t.Errorf("%s: %s", method, got)
		}
	}
	if got := c.Do(volotest.Request{Method: "TRACE", Target: "/x"}).Text(); got != "any" {
		t.Error(got)
	}
	if got := c.Do(volotest.Request{Method: "HEAD", Target: "/head"}); got.Header.Get("X-Head") != "1" || len(got.Body) != 0 {
		t.Error(got)
	}
	if got := c.Do(volotest.Request{Method: "HEAD", Target: "/x"}); got.Status != 200 || len(got.Body) != 0 {
		t.Error(got)
	}
}

func TestMiddlewareRunsInTheOrderInWhichItWasAdded(t *testing.T) {
	r := volo.NewRouter()
	r.Get("/before", text(""))
	r.Use(tag("a"), tag("b"))
	api := r.Group("/api", func(g *volo.Router) {
		g.Use(tag("c"))
		g.Get("/x", text(""), volo.With(tag("e"), tag("f")))
		g.Use(tag("d"))
	})
	r.Group("", func(g *volo.Router) {
		g.Use(tag("g"))
		g.Get("/grouped", text(""))
	})
	inner := volo.NewRouter()
	inner.Use(tag("n"))
	inner.Get("/y", text(""))
	r.Nest("/nested", inner)
	r.Get("/after", text(""))
	api.Get("/later", text(""))
	c := volotest.New(t, r)
	for path, want := range map[string]string{
		"/before": "a b", "/after": "a b", "/api/x": "a b c d e f", "/api/later": "a b c d", "/grouped": "a b g",
		"/nested/y": "a b n", "/missing": "a b", "/api/missing": "a b c d", "/nested/missing": "a b n",
	} {
		got := c.Get(path)
		if status := map[bool]int{true: 404, false: 200}[strings.Contains(path, "missing")]; in(got) != want || got.Status != status {
			t.Errorf("%s: %d %q, want %q", path, got.Status, in(got), want)
		}
	}
}

func TestMiddlewareSees405AndOptionsToo(t *testing.T) {
	r := volo.NewRouter()
	r.Use(tag("a"))
	r.Get("/x", text(""))
	r.Group("/api", func(g *volo.Router) {
		g.Use(tag("b"))
		g.Post("/y", text(""))
	})
	c := volotest.New(t, r)
	for _, tc := range []struct {
		method, path  string
		status        int
		allow, passed string
	}{
		{"POST", "/x", 405, "GET, HEAD, OPTIONS", "a"}, {"OPTIONS", "/x", 204, "GET, HEAD, OPTIONS", "a"},
		{"GET", "/api/y", 405, "POST, OPTIONS", "a b"}, {"OPTIONS", "/api/y", 204, "POST, OPTIONS", "a b"},
	} {
		got := c.Do(volotest.Request{Method: tc.method, Target: tc.path})
		if got.Status != tc.status || got.Header.Get("Allow") != tc.allow || in(got) != tc.passed {
			t.Errorf("%s %s: %v", tc.method, tc.path, got)
		}
	}
}

func TestFallbacksAreInheritedInsideTheMiddlewareOfWhoHasNone(t *testing.T) {
	r := volo.NewRouter()
	r.Use(tag("a"))
	r.Fallback(volo.HandlerFunc(func(c *volo.Ctx) error { return c.Status(404).Text("mine") }))
	r.MethodFallback(volo.HandlerFunc(func(c *volo.Ctx) error { return c.Status(405).Text("not so") }))
	inner := volo.NewRouter()
	inner.Use(tag("b"))
	inner.Get("/x", text(""))
	r.Nest("/in", inner)
	own := volo.NewRouter()
	own.Fallback(text("own"))
	r.Nest("/own", own)
	c := volotest.New(t, r)
	for path, want := range map[string]string{"/": "404 mine a", "/in/none": "404 mine a b", "/own/none": "200 own a"} {
		got := c.Get(path)
		if s := fmt.Sprint(got.Status, " ", got.Text(), " ", in(got)); s != want {
			t.Errorf("%s: %q, want %q", path, s, want)
		}
	}
	got := c.Post("/in/x", "text/plain", nil)
	if s := fmt.Sprint(got.Status, " ", got.Text(), " ", in(got), " ", got.Header.Get("Allow")); s != "405 not so a b GET, HEAD, OPTIONS" {
		t.Error(s)
	}
	if got := c.Do(volotest.Request{Method: "OPTIONS", Target: "/in/x"}); got.Status != 204 || in(got) != "a b" {
		t.Error(got)
	}
}

func TestMiddlewareCanAnswerInPlaceOfTheRest(t *testing.T) {
	r := volo.NewRouter()
	r.Use(func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			if c.Header("Authorization") == "" {
				return volo.Error(401, "who are you?")
			}
			err := next.ServeVolo(c)
			if err == nil && c.ResponseStatus() == 200 {
				_ = c.SetHeader("X-Body", string(c.ResponseBody()))
			}
			return err
		})
	})
	r.Get("/", text("in"))
	c := volotest.New(t, r)
	if got := c.Get("/"); got.Status != 401 {
		t.Error(got)
	}
	got := c.Do(volotest.Request{Target: "/", Header: http.Header{"Authorization": {"x"}}})
	if got.Status != 200 || got.Header.Get("X-Body") != "in" {
		t.Error(got)
	}
}

func TestStockLayersAreThoseOfLibvolo(t *testing.T) {
	r := volo.NewRouter()
	r.UseNative(volo.SecureHeaders(0, "default-src 'self'"), volo.RequestID("", true), volo.ETag(false),
		volo.CORS(volo.CORSOptions{Origins: []string{"https://a.example"}, Methods: []string{"GET", "PUT"}, Expose: []string{"X-E"},
			Credentials: true, MaxAge: time.Hour}),
		volo.ClientIP("192.0.2.0/24", ""), volo.Concurrency(10, 10))
	r.Use(tag("go"))
	r.Get("/", func(c *volo.Ctx) error { return c.Text(c.RequestID() + " " + c.ClientIP()) })
	r.Post("/small", text(""))
	r.Get("/late", func(c *volo.Ctx) error {
		if _, ok := c.Deadline(); ok {
			t.Error("a deadline without a Timeout")
		}
		return c.Text("")
	})
	c := volotest.New(t, r)
	got := c.Do(volotest.Request{Target: "/", Peer: "192.0.2.1", Header: http.Header{
		"X-Request-Id": {"id-1"}, "X-Forwarded-For": {"198.51.100.9"}, "Origin": {"https://a.example"}}})
	if got.Text() != "id-1 198.51.100.9" || got.Header.Get("X-Request-Id") != "id-1" || got.Header.Get("Etag") == "" ||
		got.Header.Get("Access-Control-Allow-Origin") != "https://a.example" || got.Header.Get("Content-Security-Policy") == "" || in(got) != "go" {
		t.Error(got)
	}
	again := c.Do(volotest.Request{Target: "/", Peer: "192.0.2.1", Header: http.Header{
		"X-Request-Id": {"id-1"}, "X-Forwarded-For": {"198.51.100.9"}, "If-None-Match": {got.Header.Get("Etag")}}})
	if again.Status != 304 {
		t.Error(again)
	}
	c.Get("/late")
}

func TestWhoComesOverPlainHTTPIsSentToHTTPS(t *testing.T) {
	r := volo.NewRouter()
	r.UseNative(volo.HTTPSRedirect(8443, "/well", "/known"), volo.HSTS(time.Hour, true, false))
	r.Get("/", text("ok"))
	r.Get("/known/x", text("ok"))
	c := volotest.New(t, r)
	got := c.Do(volotest.Request{Target: "/?a=b", Header: http.Header{"Host": {"example.com:80"}}})
	if got.Status != 308 || got.Header.Get("Location") != "https://example.com:8443/?a=b" {
		t.Error(got)
	}
	if got := c.Get("/known/x"); got.Status != 200 || got.Header.Get("Strict-Transport-Security") != "" {
		t.Error(got)
	}
}

func TestABodyLimitOfARoute(t *testing.T) {
	r := volo.NewRouter()
	r.Post("/small", text("ok"), volo.MaxBody(3))
	c := volotest.New(t, r)
	if got := c.Post("/small", "a/b", []byte("1234")); got.Status != 413 {
		t.Error(got)
	}
	if got := c.Post("/small", "a/b", []byte("123")); got.Status != 200 {
		t.Error(got)
	}
}

func TestABadLayerIsRefusedWithWords(t *testing.T) {
	for name, layer := range map[string]volo.NativeLayer{
		"Timeout": volo.Timeout(0, 0), "CORS": volo.CORS(volo.CORSOptions{Origins: []string{"*"}, Credentials: true}),
		"ClientIP": volo.ClientIP("not a network", ""), "HTTPSRedirect": volo.HTTPSRedirect(70000),
		"HSTS": volo.HSTS(time.Hour, true, true),
	} {
		if got := panics(func() { volo.NewRouter().UseNative(layer) }); !strings.Contains(got, name+": invalid argument") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestMistakesInRegistrationPanicWithBothPatterns(t *testing.T) {
	conflict := panics(func() {
		r := volo.NewRouter()
		r.Get("/a/{x}", text(""))
		r.Post("/a/{y}", text(""))
	})
	if !strings.Contains(conflict, "/a/{x}") || !strings.Contains(conflict, "/a/{y}") {
		t.Error(conflict)
	}
	for name, f := range map[string]func(){
		"malformed":     func() { volo.NewRouter().Get("/{", text("")) },
		"no slash":      func() { volo.NewRouter().Get("x", text("")) },
		"NUL":           func() { volo.NewRouter().Get("/\x00", text("")) },
		"no handler":    func() { volo.NewRouter().Handle("GET", "/", nil) },
		"a router":      func() { volo.NewRouter().Handle("GET", "/", volo.NewRouter()) },
		"two fallbacks": func() { r := volo.NewRouter(); r.Fallback(text("")); r.Fallback(text("")) },
		"nested twice": func() {
			a, b, n := volo.NewRouter(), volo.NewRouter(), volo.NewRouter()
			a.Nest("/a", n)
			b.Nest("/b", n)
		},
		"two names": func() {
			r := volo.NewRouter()
			r.Get("/a", text(""), volo.Name("n"))
			r.Get("/b", text(""), volo.Name("n"))
		},
		"no middleware": func() {
			r := volo.NewRouter()
			r.Use(func(volo.Handler) volo.Handler { return nil })
			_, _ = volotest.Open(r)
		},
	} {
		if panics(f) == "" {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestARouterThatIsServedIsFrozen(t *testing.T) {
	r := volo.NewRouter()
	r.Get("/", text("ok"))
	c, err := volotest.Open(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := volotest.Open(r); err == nil {
		t.Error("served twice at once")
	}
	if panics(func() { r.Get("/x", text("")) }) == "" || panics(func() { r.Use(tag("a")) }) == "" {
		t.Error("changed while it is served")
	}
	c.Close()
	if got := volotest.New(t, r).Get("/").Text(); got != "ok" { // and again
		t.Error(got)
	}
}

func TestURLsAndListsOfRoutes(t *testing.T) {
	r := volo.NewRouter()
	r.Get("/users/{id}", text(""), volo.Name("user"))
	n := volo.NewRouter()
	n.Post("/{a}/x", text(""), volo.Name("deep"))
	r.Nest("/n/{b}", n)
	if url, err := r.URL("user", "id", "a b/c"); url != "/users/a%20b%2Fc" || err != nil {
		t.Error(url, err)
	}
	if url, err := r.URL("deep", "a", "1", "b", "2"); url != "/n/2/1/x" || err != nil {
		t.Error(url, err)
	}
	for want, params := range map[volo.Code][]string{volo.ErrMissing: {}, volo.ErrInvalid: {"id"}} {
		if _, err := r.URL("user", params...); err != want {
			t.Error(err)
		}
	}
	if _, err := r.URL("none"); err != volo.ErrNotFound {
		t.Error(err)
	}
	want := []volo.RouteInfo{{"GET", "/users/{id}", "user"}, {"POST", "/n/{b}/{a}/x", "deep"}}
	if got := r.Routes(); !slices.Equal(got, want) {
		t.Error(got)
	}
}

func TestHostsSlashesAndCleanPaths(t *testing.T) {
	r := volo.NewRouter()
	r.SetSlash(volo.SlashRedirect)
	r.SetClean(true)
	r.Get("/a", text("plain"))
	h := volo.NewRouter()
	h.Use(tag("host"))
	h.Get("/a", func(c *volo.Ctx) error { return c.Text("of " + c.Param("tenant")) })
	r.Host("{tenant}.example.com", h)
	c := volotest.New(t, r)
	if got := c.Do(volotest.Request{Target: "/a", Header: http.Header{"Host": {"acme.example.com"}}}); got.Text() != "of acme" || in(got) != "host" {
		t.Error(got)
	}
	if got := c.Get("/a"); got.Text() != "plain" || in(got) != "" {
		t.Error(got)
	}
	for path, to := range map[string]string{"/a/": "/a", "/b/../a": "/a"} {
		if got := c.Get(path); got.Status != 308 || got.Header.Get("Location") != to {
			t.Error(path, got)
		}
	}
}

func TestARouterCalledAsAHandlerSaysWhatToDo(t *testing.T) {
	inner := volo.NewRouter()
	var l logs
	r := volo.NewRouter()
	r.Get("/", func(c *volo.Ctx) error { return inner.ServeVolo(c) })
	c := volotest.New(t, &volo.Server{Handler: r, Logger: l.logger()})
	if got := c.Get("/"); got.Status != 500 {
		t.Error(got)
	}
	if !strings.Contains(l.String(), "add middleware with Use") {
		t.Error(l.String())
	}
}
