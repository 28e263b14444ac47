// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

// both leaves its name on the way in, for handlers, and on the way out.
func both(name string) volo.Middleware {
	return func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			trail, _ := c.Value(trailKey{}).(string)
			c.Set(trailKey{}, trail+name)
			err := next.ServeVolo(c)
			_ = c.AddHeader("X-Out", name)
			return err
		})
	}
}

type trailKey struct{}

func trail(c *volo.Ctx) error {
	text, _ := c.Value(trailKey{}).(string)
	return c.Text(text)
}

func native() volo.NativeLayer { return volo.RequestID("X-Native", false) }

// through is the names that an answer has passed, outermost last.
func through(r *volotest.Response) string {
	return strings.Join(r.Header.Values("X-Out"), "")
}

func TestMiddlewareAndNativeLayersRunInTheOrderInWhichTheyWereAdded(t *testing.T) {
	for _, mode := range []volo.Mode{volo.Goroutine, volo.Worker, volo.Inline} {
		for _, mix := range []string{"anb", "nanb", "ananb", "abnnc", "anbn"} {
			r := volo.NewRouter()
			r.SetMode(mode)
			for _, one := range mix {
				if one == 'n' {
					r.UseNative(native())
				} else {
					r.Use(both(string(one)))
				}
			}
			r.Get("/", trail)
			names := strings.ReplaceAll(mix, "n", "")
			c := volotest.New(t, r)
			for range 3 {
				got := c.Get("/")
				if got.Text() != names || through(got) != reversed(names) || len(got.Header.Get("X-Native")) != 36 {
					t.Errorf("%s: %q %q %v", mix, got.Text(), through(got), got.Header)
				}
			}
		}
	}
}

func reversed(s string) string {
	out := ""
	for _, one := range s {
		out = string(one) + out
	}
	return out
}

func nested() *volo.Router {
	r, n := volo.NewRouter(), volo.NewRouter()
	r.Use(both("a"))
	r.UseNative(native())
	n.Use(both("n"))
	n.UseNative(volo.SecureHeaders(0, ""))
	n.Get("/x", trail, volo.With(both("1")), volo.WithNative(volo.ETag(false)), volo.With(both("2")))
	n.Get("/y", trail)
	r.Group("/g", func(g *volo.Router) {
		g.Use(both("g"))
		g.Nest("/n", n)
	})
	r.Get("/", trail)
	return r
}

func TestMiddlewareWrapsAllThatIsInItsRouterAlsoByWayOfC(t *testing.T) {
	c := volotest.New(t, nested())
	for _, tc := range []struct {
		method, path string
		status       int
		in, out      string
		secure, tag  bool
	}{
		{"GET", "/g/n/x", 200, "agn12", "21nga", true, true},
		{"GET", "/g/n/y", 200, "agn", "nga", true, false},
		{"GET", "/", 200, "a", "a", false, false},
		{"GET", "/missing", 404, "", "a", false, false},
		{"GET", "/g/missing", 404, "", "ga", false, false},
		{"GET", "/g/n/missing", 404, "", "nga", true, false},
		{"POST", "/g/n/x", 405, "", "nga", true, false},
		{"OPTIONS", "/g/n/x", 204, "", "nga", true, false},
	} {
		got := c.Do(volotest.Request{Method: tc.method, Target: tc.path})
		if got.Status != tc.status || through(got) != tc.out || tc.status == 200 && got.Text() != tc.in ||
			(got.Header.Get("X-Frame-Options") != "") != tc.secure || (got.Header.Get("Etag") != "") != tc.tag {
			t.Errorf("%s %s: %v %q", tc.method, tc.path, got, got.Header)
		}
	}
}

func TestARouterWithMiddlewareByWayOfCIsServedAgain(t *testing.T) {
	r := nested()
	for range 3 {
		t.Run("", func(t *testing.T) {
			got := volotest.New(t, r).Get("/g/n/x")
			if got.Text() != "agn12" || through(got) != "21nga" {
				t.Error(got)
			}
		})
	}
}

func TestRedirectsAreInsideMiddleware(t *testing.T) {
	r := volo.NewRouter()
	r.SetSlash(volo.SlashRedirect)
	r.Use(both("a"))
	r.Get("/x", trail)
	n := volo.NewRouter()
	n.Use(both("n"))
	n.SetClean(true)
	n.Get("/y", trail)
	r.Nest("/n", n)
	c := volotest.New(t, r)
	for path, want := range map[string]string{"/x/": "308 /x a", "/n/y/": "308 /n/y na", "/x": "200  a", "/n//y": "308 /n/y na"} {
		got := c.Get(path)
		if s := fmt.Sprint(got.Status, " ", got.Header.Get("Location"), " ", through(got)); s != want && !strings.HasSuffix(want, "na") || got.Status == 404 {
			t.Errorf("%s: %q, want %q", path, s, want)
		}
	}
}

func TestANativeLayerOutsideIsNotSeenAndNotLost(t *testing.T) {
	r := volo.NewRouter()
	r.UseNative(volo.RequestID("X-Outer", false))
	r.Use(func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			_ = c.SetHeader("X-Mine", "1")
			_ = c.SetHeader("X-Theirs", "mine")
			if err := next.ServeVolo(c); err != nil {
				return err
			}
			if c.ResponseHeader("X-Outer") != "" || c.ResponseHeader("X-Inner") == "" {
				t.Error("what is seen of the answer")
			}
			c.RemoveHeader("X-Inner")
			return c.Status(201).Text(string(c.ResponseBody()) + "!")
		})
	})
	r.UseNative(volo.RequestID("X-Inner", false))
	r.Get("/", volo.HandlerFunc(func(c *volo.Ctx) error {
		_ = c.SetHeader("X-Theirs", "theirs")
		return c.HTML("<p>")
	}))
	got := volotest.New(t, r).Get("/")
	if got.Status != 201 || got.Text() != "<p>!" || got.Header.Get("X-Outer") == "" || got.Header.Get("X-Inner") != "" {
		t.Error(got, got.Header)
	}
	if got.Header.Get("X-Mine") != "1" || fmt.Sprint(got.Header.Values("X-Theirs")) != "[theirs]" {
		t.Error(got.Header)
	}
	if kind := got.Header.Values("Content-Type"); len(kind) != 1 || kind[0] != "text/html; charset=utf-8" {
		t.Error(kind)
	}
}

func TestMiddlewareByWayOfCMayAnswerInThePlaceOfTheRest(t *testing.T) {
	r, ran := volo.NewRouter(), false
	r.Use(both("a"), func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			switch c.Header("X-Key") {
			case "":
				return volo.Error(401, "who are you?")
			case "stream":
				_, err := c.Writer().WriteString(strings.Repeat("x", 10_000))
				return err
			}
			return next.ServeVolo(c)
		})
	})
	r.UseNative(native())
	r.Get("/", func(c *volo.Ctx) error { ran = true; return c.Text("in") })
	c := volotest.New(t, r)
	if got := c.Get("/"); got.Status != 401 || ran || got.Header.Get("X-Native") != "" {
		t.Error(got)
	}
	if got := c.Do(volotest.Request{Target: "/", Header: http.Header{"X-Key": {"stream"}}}); len(got.Text()) != 10_000 || ran {
		t.Error(got)
	}
	if got := c.Do(volotest.Request{Target: "/", Header: http.Header{"X-Key": {"1"}}}); got.Text() != "in" || through(got) != "a" {
		t.Error(got)
	}
}

// after calls do when what is inside has answered.
func after(do func(c *volo.Ctx, err error) error) volo.Middleware {
	return func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error { return do(c, next.ServeVolo(c)) })
	}
}

func TestAStreamPassesMiddlewareByWayOfC(t *testing.T) {
	r := volo.NewRouter()
	var body []byte
	var refused error
	r.Use(after(func(c *volo.Ctx, err error) error {
		body = c.ResponseBody()
		refused = c.File("/etc/hostname")
		return errors.Join(err, c.SetHeader("X-Seen", "1"))
	}))
	r.UseNative(native())
	r.Get("/", func(c *volo.Ctx) error {
		w := c.Writer()
		for range 100 {
			if _, err := w.WriteString(strings.Repeat("y", 1000)); err != nil {
				return err
			}
		}
		return nil
	})
	got := volotest.New(t, r).Get("/")
	if len(got.Text()) != 100_000 || got.Header.Get("X-Seen") != "1" || body != nil || !errors.Is(refused, volo.ErrAnswered) {
		t.Error(got.Status, got.Header, body, refused)
	}
}

func TestAStreamMayBeReplacedByContentAndNotByAStream(t *testing.T) {
	r := volo.NewRouter()
	r.Use(after(func(c *volo.Ctx, err error) error {
		if err != nil {
			return err
		}
		if c.Path() == "/short" {
			_, err = c.Writer().WriteString("short")
			return err
		}
		_, err = c.Writer().WriteString(strings.Repeat("z", 10_000))
		return err
	}))
	r.UseNative(native())
	r.Any("/{how}", func(c *volo.Ctx) error {
		w := c.Writer()
		_, err := w.WriteString(strings.Repeat("y", 5000))
		return err
	})
	c := volotest.New(t, r)
	if got := c.Get("/short"); got.Text() != "short" {
		t.Error(got)
	}
	if got := c.Get("/long"); got.Status != 500 {
		t.Error(got)
	}
}

func TestErrorsReachMiddlewareByWayOfCAndAreAnsweredOnce(t *testing.T) {
	var logged logs
	sentinel := errors.New("sentinel")
	r := volo.NewRouter()
	var seen []string
	see := after(func(c *volo.Ctx, err error) error {
		seen = append(seen, fmt.Sprint(c.ResponseStatus(), " ", errors.Is(err, sentinel)))
		return err
	})
	r.Use(see)
	r.UseNative(native())
	r.Use(see)
	r.UseNative(native())
	r.Get("/fail", func(*volo.Ctx) error { return sentinel })
	r.Get("/panic", func(*volo.Ctx) error { panic(sentinel) })
	r.Get("/404", func(*volo.Ctx) error { return fmt.Errorf("%w: %w", volo.Error(404, "none of these"), sentinel) })
	c := volotest.New(t, &volo.Server{Handler: r, Logger: logged.logger()})
	for path, status := range map[string]int{"/fail": 500, "/panic": 500, "/404": 404} {
		seen = nil
		got := c.Get(path)
		want := fmt.Sprintf("%d true", status)
		if got.Status != status || len(seen) != 2 || seen[0] != want || seen[1] != want {
			t.Errorf("%s: %v %q", path, got, seen)
		}
	}
	if n := strings.Count(logged.String(), "handler failed"); n != 2 {
		t.Errorf("%d lines: %s", n, logged.String())
	}
}

func TestMiddlewareByWayOfCMayAnswerAnErrorItself(t *testing.T) {
	r := volo.NewRouter()
	r.Use(after(func(c *volo.Ctx, err error) error {
		if err != nil {
			return c.Status(418).Text("calm")
		}
		return nil
	}))
	r.UseNative(native())
	r.Get("/", func(*volo.Ctx) error { return volo.Error(503, "") })
	if got := volotest.New(t, r).Get("/"); got.Status != 418 || got.Text() != "calm" {
		t.Error(got)
	}
}

func TestMiddlewareByWayOfCThatFailsIsAnswered(t *testing.T) {
	r := volo.NewRouter()
	r.Use(both("a"), after(func(c *volo.Ctx, _ error) error {
		switch c.Path() {
		case "/panic":
			panic("oh")
		case "/abort":
			panic(volo.ErrAbort)
		}
		return volo.Error(409, "no")
	}))
	r.UseNative(native())
	r.Any("/{how}", trail)
	var quiet logs
	c := volotest.New(t, &volo.Server{Handler: r, Logger: quiet.logger()})
	for path, status := range map[string]int{"/error": 409, "/panic": 500, "/abort": 500} {
		if got := c.Get(path); got.Status != status || strings.Contains(got.Text(), "a") && path != "/error" && got.Text() == "a" {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestGoingOnTwiceByWayOfCIsAnError(t *testing.T) {
	r := volo.NewRouter()
	r.Use(func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			if err := next.ServeVolo(c); err != nil {
				return err
			}
			return next.ServeVolo(c)
		})
	})
	r.UseNative(native())
	r.Get("/", trail)
	var quiet logs
	if got := volotest.New(t, &volo.Server{Handler: r, Logger: quiet.logger()}).Get("/"); got.Status != 500 {
		t.Error(got)
	}
}

func TestTheBodyIsForWhatIsInsideOfMiddlewareByWayOfC(t *testing.T) {
	r := volo.NewRouter()
	r.Use(func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			if body, err := c.Body(); err == nil {
				t.Errorf("%q", body)
			}
			return next.ServeVolo(c)
		})
	})
	r.UseNative(volo.BodyLimit(10))
	r.Post("/", func(c *volo.Ctx) error {
		body, err := c.Body()
		if err != nil {
			return err
		}
		return c.Bytes("text/plain", body)
	})
	c := volotest.New(t, r)
	if got := c.Post("/", "text/plain", []byte("hello")); got.Text() != "hello" {
		t.Error(got)
	}
	if got := c.Post("/", "text/plain", []byte("hello hello")); got.Status != 413 {
		t.Error(got)
	}
}

func TestContextsOfMiddlewareReachWhatIsInsideByWayOfC(t *testing.T) {
	type key struct{}
	r := volo.NewRouter()
	r.Use(func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			ctx, cancel := context.WithCancel(context.WithValue(c.Context(), key{}, "value"))
			defer cancel()
			c.SetContext(ctx)
			return next.ServeVolo(c)
		})
	})
	r.UseNative(volo.Timeout(time.Minute, 0))
	r.Use(both("b"))
	r.Get("/", func(c *volo.Ctx) error {
		deadline, ok := c.Context().Deadline()
		text, _ := c.Context().Value(key{}).(string)
		return c.Text(fmt.Sprint(text, ok && time.Until(deadline) > 0, c.Context().Err(), c.Value(trailKey{})))
	})
	if got := volotest.New(t, r).Get("/"); got.Text() != "valuetrue <nil>b" {
		t.Error(got)
	}
}

func TestTimeRunsOutInsideAndOutsideOfMiddlewareByWayOfC(t *testing.T) {
	for _, outside := range []bool{false, true} {
		r := volo.NewRouter()
		ended := make(chan error, 2)
		limit := volo.Timeout(20*time.Millisecond, 0)
		if outside {
			r.UseNative(limit)
		}
		r.Use(both("a"), after(func(c *volo.Ctx, err error) error {
			ended <- err
			return err
		}))
		if outside {
			r.UseNative(native())
		} else {
			r.UseNative(limit)
		}
		r.Get("/", func(c *volo.Ctx) error {
			<-c.Context().Done()
			return c.Context().Err()
		})
		// A server: its loop runs on when the answer is there, and tells
		// those who wait for their context.
		s := serve(t, &volo.Server{Handler: r})
		got, err := s.http.Get(s.url)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		out := strings.Join(got.Header.Values("X-Out"), "")
		if want := map[bool]string{false: "a", true: ""}[outside]; got.StatusCode != 504 || out != want {
			t.Error(outside, got.StatusCode, out)
		}
		<-ended
	}
}

func TestTimeRunsOutAroundMiddlewareThatHoldsAnAnswer(t *testing.T) {
	r := volo.NewRouter()
	r.UseNative(volo.Timeout(20*time.Millisecond, 0))
	r.Use(after(func(c *volo.Ctx, err error) error {
		for !errors.Is(c.Context().Err(), context.Canceled) {
			shortly()
		}
		return err
	}))
	r.UseNative(native())
	r.Get("/", trail)
	if got := volotest.New(t, r).Get("/"); got.Status != 504 {
		t.Error(got)
	}
}

func TestManyRequestsPassMiddlewareByWayOfCAtOnce(t *testing.T) {
	r := volo.NewRouter()
	for _, name := range []string{"a", "b", "c"} {
		r.Use(both(name))
		r.UseNative(native())
	}
	r.Get("/{id}", func(c *volo.Ctx) error {
		shortly()
		return c.Text(c.Param("id"))
	})
	s := serve(t, &volo.Server{Handler: r})
	var group sync.WaitGroup
	for i := range 100 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 5 {
				s.want(fmt.Sprint("/", i), 200, fmt.Sprint(i))
			}
		}()
	}
	group.Wait()
}

func TestClientsThatLeaveMiddlewareByWayOfCHarmNobody(t *testing.T) {
	r := volo.NewRouter()
	r.Use(both("a"))
	r.UseNative(native())
	r.Get("/", func(c *volo.Ctx) error {
		select {
		case <-c.Context().Done():
		case <-time.After(5 * time.Millisecond):
		}
		return c.Text("ok")
	})
	s := serve(t, &volo.Server{Handler: r})
	for range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		request, _ := http.NewRequestWithContext(ctx, "GET", s.url, nil)
		if got, err := s.http.Do(request); err == nil {
			got.Body.Close()
		}
		cancel()
	}
	s.want("/", 200, "ok")
}
