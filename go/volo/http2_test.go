// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"libvolo/go/volo"
)

// overHTTP2 runs test with HTTP/2 in the clear and over TLS.
func overHTTP2(t *testing.T, h volo.Handler, test func(*testing.T, *running)) {
	t.Run("in the clear", func(t *testing.T) {
		s := serve(t, &volo.Server{Handler: h})
		s.speaks(2)
		test(t, s)
	})
	t.Run("over TLS", func(t *testing.T) {
		a := newAuthority(t)
		test(t, serveTLS(t, a, &volo.Server{Handler: h},
			&volo.TLSConfig{Certificates: []volo.Certificate{a.server("one")}}))
	})
}

// speaks has the client speak one version of HTTP in the clear.
func (r *running) speaks(version int) {
	p := &http.Protocols{}
	p.SetHTTP1(version == 1)
	p.SetUnencryptedHTTP2(version == 2)
	r.http.Transport.(*http.Transport).Protocols = p
}

// open sends a request, and gives the answer, whose body is still to come.
func (r *running) open(ctx context.Context, method, path string, body io.Reader) *http.Response {
	r.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { resp.Body.Close() })
	if resp.ProtoMajor != 2 {
		r.t.Error(resp.Proto)
	}
	return resp
}

func TestAnswersStreamOverHTTP2(t *testing.T) {
	next := make(chan string)
	h := volo.HandlerFunc(func(c *volo.Ctx) error {
		w := c.Writer()
		for line := range next {
			if _, err := io.WriteString(w, line+"\n"); err != nil {
				return err
			}
			if err := w.Flush(); err != nil {
				return err
			}
			if line == "last" {
				return w.Trailer("X-Sum", "2")
			}
		}
		return nil
	})
	overHTTP2(t, h, func(t *testing.T, s *running) {
		go func() { next <- "first" }()
		resp := s.open(t.Context(), "GET", "/", nil)
		lines := bufio.NewReader(resp.Body)
		for _, line := range []string{"first", "second", "last"} {
			if line != "first" {
				next <- line // only once the one before has come
			}
			if got, err := lines.ReadString('\n'); got != line+"\n" || err != nil {
				t.Fatalf("%q %v", got, err)
			}
		}
		if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
			t.Errorf("%q %v", rest, err)
		}
		if got := resp.Trailer.Get("X-Sum"); got != "2" {
			t.Errorf("%q", got)
		}
	})
}

func TestBodiesAndAnswersGoBothWaysAtOnceOverHTTP2(t *testing.T) {
	r := volo.NewRouter()
	r.Post("/", func(c *volo.Ctx) error {
		w := c.Writer()
		if err := w.Flush(); err != nil {
			return err
		}
		if _, err := io.Copy(w, c.BodyReader()); err != nil {
			return err
		}
		return w.Trailer("X-Sum", c.Trailer("x-sum"))
	}, volo.Streaming())
	overHTTP2(t, r, func(t *testing.T, s *running) {
		body, feed := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.url, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Trailer = http.Header{"X-Sum": nil}
		resp, err := s.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		piece := make([]byte, 100_000)
		for i := range 20 {
			sent := strings.Repeat(string(rune('a'+i)), len(piece))
			go func() { _, _ = io.WriteString(feed, sent) }()
			if _, err := io.ReadFull(resp.Body, piece); err != nil || string(piece) != sent {
				t.Fatalf("%d: %.20q %v", i, piece, err)
			}
		}
		req.Trailer.Set("X-Sum", "20")
		feed.Close()
		if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil || resp.Trailer.Get("X-Sum") != "20" {
			t.Errorf("%q %v %v", rest, err, resp.Trailer)
		}
	})
}

func TestManyRequestsShareAConnectionOverHTTP2(t *testing.T) {
	r := volo.NewRouter()
	var in sync.WaitGroup
	in.Add(50)
	r.Get("/{n}", func(c *volo.Ctx) error {
		in.Done()
		in.Wait() // all of them at once
		return c.Text(c.Param("n") + strings.Repeat(".", 100_000))
	})
	overHTTP2(t, r, func(t *testing.T, s *running) {
		s.get("/warm/up") // one connection
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				s.want(fmt.Sprintf("/%d", i), 200, fmt.Sprint(i)+strings.Repeat(".", 100_000))
			})
		}
		all.Wait()
		if n := s.Stats().Accepted; n != 1 {
			t.Errorf("%d connections", n)
		}
		in.Add(50)
	})
}

func TestAClientThatResetsItsStreamEndsTheContext(t *testing.T) {
	ended := make(chan error, 1)
	r := volo.NewRouter()
	r.Get("/", func(c *volo.Ctx) error {
		w := c.Writer()
		if err := w.Flush(); err != nil {
			return err
		}
		<-c.Context().Done()
		ended <- c.Context().Err()
		return c.Context().Err()
	})
	r.Get("/still", text("here"))
	overHTTP2(t, r, func(t *testing.T, s *running) {
		ctx, leave := context.WithCancel(t.Context())
		s.open(ctx, "GET", "/", nil)
		leave()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Error("nobody was told")
		}
		s.want("/still", 200, "here")
		if n := s.Stats().Accepted; n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

// TestAWriterWaitsForTheWindow has one stream's client read nothing, while
// another is served on the same connection.
func TestAWriterWaitsForTheWindow(t *testing.T) {
	const size = 20 << 20
	var mu sync.Mutex
	written := 0
	count := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		written += n
		return written
	}
	r := volo.NewRouter()
	r.Get("/", func(c *volo.Ctx) error {
		w, block := c.Writer(), make([]byte, 32<<10)
		for range size / len(block) {
			if _, err := w.Write(block); err != nil {
				return err
			}
			count(len(block))
		}
		return nil
	})
	r.Get("/other", text("served"))
	overHTTP2(t, r, func(t *testing.T, s *running) {
		count(-count(0))
		resp := s.open(t.Context(), "GET", "/", nil)
		for range 20 {
			s.want("/other", 200, "served")
		}
		if n := count(0); n > size/2 {
			t.Errorf("%d octets were written for a client that reads nothing", n)
		}
		if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
			t.Error(n, err)
		}
	})
}

func TestShutdownLetsAStreamFinish(t *testing.T) {
	in, on := make(chan struct{}), make(chan struct{})
	h := volo.HandlerFunc(func(c *volo.Ctx) error {
		in <- struct{}{}
		<-on
		return c.Text("finished")
	})
	overHTTP2(t, h, func(t *testing.T, s *running) {
		over := make(chan error, 1)
		go func() {
			<-in
			go func() { over <- s.Shutdown(context.Background()) }()
			shortly()
			on <- struct{}{}
		}()
		s.want("/", 200, "finished")
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
}

func TestWhatHTTP2HasNotIsRefused(t *testing.T) {
	h := volo.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := w.(http.Pusher).Push("/style.css", nil); !errors.Is(err, http.ErrNotSupported) {
			t.Error(err)
		}
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Error(err)
		}
		w.Header().Set("Connection", "x-own")
		w.Header().Set("Keep-Alive", "5")
		fmt.Fprint(w, r.Proto, " ", r.ProtoMajor, r.ProtoMinor, " ", r.TLS != nil && r.TLS.NegotiatedProtocol == "h2" && r.TLS.HandshakeComplete)
	}))
	overHTTP2(t, h, func(t *testing.T, s *running) {
		s.want("/", 200, fmt.Sprint("HTTP/2.0 2 0 ", strings.HasPrefix(s.url, "https")))
	})
}

func TestHTTP2CanBeTurnedOff(t *testing.T) {
	a := newAuthority(t)
	s := serveTLS(t, a, &volo.Server{Handler: volo.HandlerFunc(tells), DisableHTTP2: true},
		&volo.TLSConfig{Certificates: []volo.Certificate{a.server("one")}})
	s.want("/", 200, `https 1.1 304 true "" ""`)
	clear := serve(t, &volo.Server{Handler: volo.HandlerFunc(tells), DisableHTTP2: true})
	clear.speaks(2)
	if resp, err := clear.http.Get(clear.url); err == nil {
		t.Error(resp.Proto)
		resp.Body.Close()
	}
}
