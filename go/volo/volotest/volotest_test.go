// SPDX-License-Identifier: Apache-2.0

package volotest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

func router() *volo.Router {
	r := volo.NewRouter()
	r.Any("/echo", func(c *volo.Ctx) error {
		body, err := c.Body()
		if err != nil {
			return err
		}
		_ = c.SetHeader("X-Length", c.Header("Content-Length"))
		return c.String(c.Header("Content-Type"), c.Method()+" "+c.Host()+" "+c.RawQuery()+" "+string(body))
	})
	r.Post("/json", func(c *volo.Ctx) error { return c.JSON(map[string]string{"got": string(c.BodyView())}) })
	r.Get("/wait", func(c *volo.Ctx) error { <-c.Context().Done(); return c.Context().Err() })
	return r
}

func TestRequestsAreSentAsTheyAreSaid(t *testing.T) {
	c := volotest.New(t, router())
	got := c.Do(volotest.Request{Method: "PUT", Target: "/echo?a", Body: []byte("abc"), Header: http.Header{"Host": {"h"}}})
	if got.Text() != "PUT h a abc" || got.Header.Get("X-Length") != "3" {
		t.Error(got)
	}
	got = c.Do(volotest.Request{Method: "PUT", Target: "/echo", Body: []byte("abc"), Chunk: 1})
	if got.Text() != "PUT test  abc" || got.Header.Get("X-Length") != "" {
		t.Error(got)
	}
	var into struct{ Got string }
	if err := c.PostJSON("/json", 7).JSON(&into); err != nil || into.Got != "7" {
		t.Error(into, err)
	}
	if words := c.Get("/none").String(); !strings.HasPrefix(words, "404 Not Found\n") || !strings.Contains(words, "Content-Type: text/plain") {
		t.Error(words)
	}
}

func TestAClientThatLeavesSaysSo(t *testing.T) {
	c := volotest.New(t, router())
	if _, err := c.Send(volotest.Request{Target: "/wait", Leave: time.Millisecond}); !errors.Is(err, volo.ErrCanceled) {
		t.Error(err)
	}
	for _, bad := range []volotest.Request{{Target: "/\x00"}, {Target: "/", Header: http.Header{"A\x00": {"b"}}}} {
		if _, err := c.Send(bad); err != volo.ErrInvalid {
			t.Error(err)
		}
	}
}

func TestAClientIsARoundTripper(t *testing.T) {
	c := volotest.New(t, &volo.Server{Handler: router()})
	resp, err := c.HTTP().Post("http://example.org/echo?q=1", "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if string(body) != "POST example.org q=1 body" || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/plain" {
		t.Error(string(body), resp)
	}
}

func TestManyGoroutinesMayShareAClient(t *testing.T) {
	c := volotest.New(t, router())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				if got := c.Post("/echo", "a/b", []byte("x")); got.Text() != "POST test  x" {
					t.Error(got)
				}
			}
		})
	}
	group.Wait()
}

func TestWhatIsNoHandlerIsRefused(t *testing.T) {
	for _, h := range []any{nil, 7, &volo.Server{}} {
		if c, err := volotest.Open(h); err == nil {
			c.Close()
			t.Error(h, "was accepted")
		}
	}
}
