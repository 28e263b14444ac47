// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

// onHTTP serves an http.Handler on a port until the test ends, and gives the
// address, and what is logged.
func onHTTP(t *testing.T, h http.HandlerFunc) (string, *logged) {
	t.Helper()
	log := &logged{}
	server := &volo.Server{Handler: volo.HTTP(h), Workers: 1, Addr: "own",
		Logger: slog.New(slog.NewTextHandler(log, nil)), MaxBody: 1 << 20}
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Serve() }()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	return fmt.Sprintf("127.0.0.1:%d", server.Port(0)), log
}

type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// raw sends octets and gives all that comes until the server closes.
func raw(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	io.WriteString(conn, request)
	all, _ := io.ReadAll(conn)
	return string(all)
}

const closing = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

func TestAPanicIs500AndLoggedWithItsStack(t *testing.T) {
	addr, log := onHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(201)
		io.WriteString(w, "not sent")
		panic("of a handler")
	})
	got := raw(t, addr, closing)
	if !strings.HasPrefix(got, "HTTP/1.1 500 ") || strings.Contains(got, "not sent") {
		t.Error(got)
	}
	if !strings.Contains(log.String(), "of a handler") || !strings.Contains(log.String(), "adapter_life_test.go") {
		t.Error(log)
	}
}

func TestAPanicBehindTheHeadCutsTheAnswerOff(t *testing.T) {
	addr, log := onHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "begun")
		w.(http.Flusher).Flush()
		panic("of a handler")
	})
	got := raw(t, addr, closing)
	if !strings.HasPrefix(got, "HTTP/1.1 200 ") || strings.HasSuffix(got, "0\r\n\r\n") {
		t.Errorf("%q", got)
	}
	if !strings.Contains(log.String(), "of a handler") {
		t.Error(log)
	}
}

func TestErrAbortHandlerCutsAndSaysNothing(t *testing.T) {
	for _, flushed := range []bool{false, true} {
		addr, log := onHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "begun")
			if flushed {
				w.(http.Flusher).Flush()
			}
			panic(http.ErrAbortHandler)
		})
		if got := raw(t, addr, closing); strings.HasSuffix(got, "0\r\n\r\n") || strings.Contains(got, "500") {
			t.Errorf("%q", got)
		}
		if log.String() != "" {
			t.Error(log)
		}
	}
}

func TestWhatCannotBeHadIsNotSupported(t *testing.T) {
	addr, _ := onHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		_, _, hijack := c.Hijack()
		_, _, direct := w.(http.Hijacker).Hijack()
		for _, err := range []error{hijack, direct, c.SetReadDeadline(time.Now()), c.SetWriteDeadline(time.Now())} {
			if !errors.Is(err, http.ErrNotSupported) {
				t.Error(err)
			}
		}
		if err := c.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusProcessing)
		w.WriteHeader(http.StatusAccepted)
	})
	if got := raw(t, addr, closing); !strings.HasPrefix(got, "HTTP/1.1 202 ") {
		t.Error(got)
	}
}

func TestAStatusThatIsNoneIsAPanicAsOnNetHTTP(t *testing.T) {
	addr, log := onHTTP(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(99) })
	if got := raw(t, addr, closing); !strings.HasPrefix(got, "HTTP/1.1 500 ") {
		t.Error(got)
	}
	if !strings.Contains(log.String(), "invalid WriteHeader code 99") {
		t.Error(log)
	}
	addr, _ = onHTTP(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(101) })
	if got := raw(t, addr, closing); !strings.HasPrefix(got, "HTTP/1.1 501 ") {
		t.Error(got)
	}
}

func TestTheContextKnowsServerAddressAndLeaving(t *testing.T) {
	left := make(chan error, 1)
	addr, _ := onHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if server == nil || server.Addr != "own" || local == nil || local.String() != r.Host {
			t.Error(server, local, r.Host)
		}
		if host, port, err := net.SplitHostPort(r.RemoteAddr); host != "127.0.0.1" || port == "0" || err != nil {
			t.Error(r.RemoteAddr)
		}
		//lint:ignore SA1019 gin uses it
		gone := w.(http.CloseNotifier).CloseNotify()
		<-r.Context().Done()
		<-gone
		left <- context.Cause(r.Context())
	})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", addr)
	time.Sleep(20 * time.Millisecond)
	conn.Close()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestARequestCanBeKept(t *testing.T) {
	const count = 50
	requests := make(chan *http.Request, count)
	writers := make(chan http.ResponseWriter, count)
	addr, _ := onHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		writers <- w
	})
	for i := range count {
		raw(t, addr, fmt.Sprintf("POST /%d?q=%d HTTP/1.1\r\nHost: h%d\r\nX-Own: %d\r\nCookie: a=%d\r\n"+
			"Connection: close\r\nContent-Length: 1\r\n\r\nx", i, i, i, i, i))
	}
	for i := range count {
		r, w := <-requests, <-writers
		want := fmt.Sprintf("POST /%d?q=%d h%d %d a=%d", i, i, i, i, i)
		got := fmt.Sprintf("%s %s %s %s %s", r.Method, r.URL, r.Host, r.Header.Get("x-own"), r.Header.Get("Cookie"))
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if r.Context().Err() == nil {
			t.Error("its context is not done")
		}
		if _, err := r.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Error(err)
		}
		if _, err := io.WriteString(w, "late"); err == nil {
			t.Error("a late write is taken")
		}
		if err := http.NewResponseController(w).Flush(); err == nil {
			t.Error("a late flush is taken")
		}
	}
}

func TestTheServersLimitIsAMaxBytesError(t *testing.T) {
	addr, _ := onHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		var limit *http.MaxBytesError
		fmt.Fprintln(w, errors.As(err, &limit) && limit.Limit == 1<<20)
	})
	got := raw(t, addr, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"+
		strings.Repeat("8000\r\n"+strings.Repeat("x", 0x8000)+"\r\n", 33)+"0\r\n\r\n")
	if !strings.HasSuffix(got, "true\n") {
		t.Errorf("%.300q", got)
	}
}

func TestAClientThatLeavesInItsBodyIsAnUnexpectedEOF(t *testing.T) {
	failed := make(chan error, 1)
	addr, _ := onHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		failed <- err
	})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\nsome")
	time.Sleep(20 * time.Millisecond)
	conn.Close()
	if err := <-failed; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestAClientIsToldToGoOnWhenItsBodyIsRead(t *testing.T) {
	for _, reads := range []bool{false, true} {
		addr, _ := onHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			if reads {
				io.Copy(w, r.Body)
			} else {
				w.WriteHeader(http.StatusForbidden)
			}
		})
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+
			"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		first := make([]byte, len("HTTP/1.1 100"))
		if _, err := io.ReadFull(conn, first); err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{false: "HTTP/1.1 403", true: "HTTP/1.1 100"}[reads]
		if string(first) != want {
			t.Errorf("%s, want %s", first, want)
		}
		io.WriteString(conn, "hello")
		if rest, _ := io.ReadAll(conn); reads && !strings.HasSuffix(string(rest), "hello") {
			t.Errorf("%q", rest)
		}
	}
}

func TestHandlersOfBothKindsStandInOneRouter(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /old/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %v", r.PathValue("name"), r.URL.Path, r.Context().Value(keyOf("k")))
	})
	r := volo.NewRouter()
	r.Use(func(next volo.Handler) volo.Handler {
		return volo.HandlerFunc(func(c *volo.Ctx) error {
			c.Set(keyOf("k"), "set")
			err := next.ServeVolo(c)
			return errors.Join(err, c.SetHeader("X-Outer", fmt.Sprint(c.ResponseStatus())))
		})
	})
	r.Handle("", "/old/{*rest}", volo.HTTP(mux))
	r.Get("/new", func(c *volo.Ctx) error { return c.Text("new") })
	c := volotest.New(t, r)
	wants(t, c.Get("/new"), 200, "new")
	wants(t, c.Get("/old/a%20b"), 200, "a b /old/a b set")
	if got := c.Get("/old/a/b"); got.Status != 404 || got.Header.Get("X-Outer") != "404" {
		t.Error(got)
	}
	if got := c.Post("/old/a", "a/b", []byte("c")); got.Status != 405 || got.Header.Get("Allow") == "" {
		t.Error(got)
	}
}

type keyOf string

func TestManyWritesAreStreamedWithBackPressure(t *testing.T) {
	const size = 20 << 20
	wrote := make(chan int, 1)
	addr, _ := onHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		n := 0
		block := make([]byte, 10000)
		for n < size {
			m, err := w.Write(block)
			n += m
			if err != nil {
				break
			}
		}
		wrote <- n
	})
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || int(n) != <-wrote || n < size {
		t.Error(n, err)
	}
	// One that leaves makes a write fail.
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, closing)
	io.ReadFull(conn, make([]byte, 1000))
	conn.Close()
	if n := <-wrote; n >= size {
		t.Error(n)
	}
}

// ---- What it costs -------------------------------------------------------------

// onExchange runs f with an exchange that has the fields of a browser.
func onExchange(tb testing.TB, f func(c *volo.Ctx)) {
	tb.Helper()
	r := volo.NewRouter()
	r.Any("/{*rest}", func(c *volo.Ctx) error {
		f(c)
		return c.NoContent()
	})
	c, err := volotest.Open(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close()
	c.Do(volotest.Request{Target: "/users/42?q=1", Header: http.Header{
		"User-Agent": {"Mozilla/5.0"}, "Accept": {"text/html"}, "Accept-Language": {"en"},
		"Accept-Encoding": {"gzip"}, "Cookie": {"a=b"}}})
}

func plain(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, "Hello, World!")
}

func TestARequestIsMadeInFewAllocations(t *testing.T) {
	h := volo.HTTP(http.HandlerFunc(plain))
	onExchange(t, func(c *volo.Ctx) {
		n := testing.AllocsPerRun(100, func() {
			if err := h.ServeVolo(c); err != nil {
				t.Error(err)
			}
		})
		// The request; what hangs on it; its text; its header, of two parts;
		// the header of the answer, of two parts, and its value.
		if n > 8 {
			t.Errorf("%v allocations", n)
		}
	})
}

func BenchmarkHTTP(b *testing.B) {
	h := volo.HTTP(http.HandlerFunc(plain))
	onExchange(b, func(c *volo.Ctx) {
		b.ReportAllocs()
		for b.Loop() {
			if err := h.ServeVolo(c); err != nil {
				b.Fatal(err)
			}
		}
	})
}
