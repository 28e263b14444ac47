// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"libvolo/go/volo"
)

// pipelined sends n times the same request on one connection, at once, and
// reads the answers.
func pipelined(t *testing.T, s *running, path string, n int) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	one := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	go func() { _, _ = conn.Write(bytes.Repeat([]byte(one), n)) }()
	in := bufio.NewReader(conn)
	for range n {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != 200 {
			t.Error(resp.Status)
		}
	}
}

func TestUnderLoadOneCrossingIsForManyExchanges(t *testing.T) {
	const each, clients = 5_000, 4
	for name, mode := range map[string]volo.Mode{"goroutine": volo.Goroutine, "worker": volo.Worker} {
		t.Run(name, func(t *testing.T) {
			r := volo.NewRouter()
			r.SetMode(mode)
			r.Get("/", text("ok"))
			s := serve(t, &volo.Server{Handler: r, Workers: 1})
			var group sync.WaitGroup
			for range clients {
				group.Go(func() { pipelined(t, s, "/", each) })
			}
			group.Wait()
			if n := volo.Crossings(s.Server); n > each*clients/8 {
				t.Errorf("%d crossings for %d exchanges", n, each*clients)
			}
			if n := volo.Wakes(s.Server); n > each*clients/8 {
				t.Errorf("%d wake-ups for %d exchanges", n, each*clients)
			}
		})
	}
}

func TestAnIdleServerDoesNotCrossAtAll(t *testing.T) {
	for _, workers := range []int{1, 2} {
		s := serve(t, &volo.Server{Handler: text("ok"), Workers: workers})
		s.want("/", 200, "ok")
		var before int64
		eventually(t, "it rests", func() bool {
			shortly()
			n := volo.Crossings(s.Server)
			same := n == before
			before = n
			return same
		})
		for range 50 {
			shortly()
		}
		if n := volo.Crossings(s.Server) - before; n > 1 { // one may have been under way
			t.Errorf("%d crossings for nothing", n)
		}
	}
}

func TestHandlersThatBlockHoldNobodyUp(t *testing.T) {
	goOn := make(chan bool)
	var blocked atomic.Int32
	r := volo.NewRouter()
	r.Get("/block", func(c *volo.Ctx) error {
		blocked.Add(1)
		<-goOn
		return c.Text("late")
	})
	r.Get("/fast", text("fast"))
	for _, workers := range []int{1, 2} {
		s := serve(t, &volo.Server{Handler: r, Workers: workers})
		before := runtime.GOMAXPROCS(workers)
		const many = 200
		late := make(chan bool)
		for range many {
			go func() { s.want("/block", 200, "late"); late <- true }()
		}
		eventually(t, "all are blocked at once", func() bool { return blocked.Load() == many })
		for range 50 {
			s.want("/fast", 200, "fast")
		}
		pipelined(t, s, "/fast", 500)
		close(goOn)
		for range many {
			<-late
		}
		goOn = make(chan bool)
		blocked.Store(0)
		s.stop()
		runtime.GOMAXPROCS(before)
	}
}

// The first of what was taken together is answered although the next blocks.
func TestAnAnswerDoesNotWaitForTheNextHandler(t *testing.T) {
	goOn := make(chan bool)
	r := volo.NewRouter()
	r.Get("/block", func(c *volo.Ctx) error { <-goOn; return c.Text("late") })
	r.Get("/fast", text("fast"))
	s := serve(t, &volo.Server{Handler: r, Workers: 1})
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	one := func(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }
	for range 50 {
		fmt.Fprint(conn, one("/fast")+one("/fast")+one("/block")+one("/fast"))
		in := bufio.NewReader(conn)
		read := func(want string) {
			t.Helper()
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, _ := io.ReadAll(resp.Body); string(body) != want {
				t.Errorf("%q, want %q", body, want)
			}
		}
		read("fast")
		read("fast")
		goOn <- true
		read("late")
		read("fast")
	}
}

func TestManyModesInOneRouterAtOnce(t *testing.T) {
	r := volo.NewRouter()
	for name, mode := range modes {
		r.Get("/"+name, text(name), volo.InMode(mode))
	}
	r.Get("/sleep", func(c *volo.Ctx) error { time.Sleep(time.Millisecond); return c.Text("slept") })
	s := serve(t, &volo.Server{Handler: r})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				for name := range modes {
					s.want("/"+name, 200, name)
				}
				s.want("/sleep", 200, "slept")
			}
		})
	}
	group.Wait()
}

// What needs no Go is answered although Go's processors are all busy.
func TestLoopsGoOnBesideGoroutinesThatCompute(t *testing.T) {
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)
	r := volo.NewRouter()
	r.UseNative(volo.RequestID("", false))
	r.Get("/go", text("go"))
	s := serve(t, &volo.Server{Handler: r})
	stop := make(chan bool)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for range 50 {
		s.want("/none", 404, "Not Found\n")
	}
	req, _ := http.NewRequest("OPTIONS", s.url+"/go", nil)
	resp, err := s.http.Do(req)
	if err != nil || resp.StatusCode != 204 {
		t.Error(resp, err)
	}
	s.want("/go", 200, "go")
	close(stop)
	group.Wait()
}

// allKinds is a router with a route of every kind; those that are stuck go on
// when forever is closed.
func allKinds(forever chan bool) *volo.Router {
	r := volo.NewRouter()
	r.UseNative(volo.ETag(true), volo.Timeout(time.Minute, 0))
	r.Use(tag("a"))
	r.Get("/fast", text("fast"))
	r.Get("/inline", text("inline"), volo.InMode(volo.Inline))
	r.Get("/worker", text("worker"), volo.InMode(volo.Worker))
	r.Get("/panic", func(*volo.Ctx) error { panic("x") })
	r.Get("/exit", func(*volo.Ctx) error { runtime.Goexit(); return nil })
	r.Get("/abort", func(*volo.Ctx) error { return volo.ErrAbort })
	r.Get("/block", func(c *volo.Ctx) error { <-c.Context().Done(); return c.Context().Err() })
	r.Get("/sleep", func(c *volo.Ctx) error { shortly(); return c.Text("slept") })
	r.Get("/stuck", func(*volo.Ctx) error { <-forever; return nil })
	r.Get("/large", func(c *volo.Ctx) error { return c.Bytes("a/b", make([]byte, 1<<20)) })
	r.Get("/stream", func(c *volo.Ctx) error { _, err := c.Writer().Write(make([]byte, 1<<20)); return err })
	r.Post("/echo", func(c *volo.Ctx) error { _, err := io.Copy(c.Writer(), c.BodyReader()); return err }, volo.Streaming())
	r.Post("/unread", func(c *volo.Ctx) error { c.BodyReader(); return c.Text("no") }, volo.Streaming())
	return r
}

// leave asks for something and goes away.
func (r *running) leave(path string) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		r.t.Error(err)
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	shortly()
}

// post sends a megabyte; the answer may be anything.
func (r *running) post(path string) {
	resp, err := r.http.Post(r.url+path, "a/b", bytes.NewReader(make([]byte, 1<<20)))
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func TestGoroutinesAndMemoryGoBackToWhatTheyWere(t *testing.T) {
	rest := func() (goroutines, memory int) {
		for range 3 {
			runtime.GC()
			shortly()
		}
		return runtime.NumGoroutine(), volo.Alive()
	}
	round := func(t *testing.T) {
		forever := make(chan bool)
		s := serve(t, &volo.Server{Handler: allKinds(forever), Logger: new(logs).logger()})
		for _, path := range []string{"/fast", "/inline", "/worker", "/panic", "/large", "/stream", "/none"} {
			s.get(path)
		}
		for _, path := range []string{"/echo", "/unread", "/none"} {
			s.post(path)
		}
		for _, path := range []string{"/block", "/stuck", "/stream", "/large", "/echo"} {
			s.leave(path)
		}
		s.http.CloseIdleConnections()
		close(forever)
		s.stop()
	}
	t.Run("first", round) // which lets go of what it has when it is over
	var goroutines, memory int
	eventually(t, "the first round is over", func() bool {
		g, m := rest()
		same := g == goroutines && m == memory
		goroutines, memory = g, m
		return same
	})
	for range 5 {
		t.Run("again", round)
	}
	var g, m int
	for range 5_000 {
		if g, m = rest(); g <= goroutines && m <= memory {
			return
		}
		shortly()
	}
	t.Errorf("%d goroutines and %d pieces of memory, which were %d and %d", g, m, goroutines, memory)
}

// A short soak: everything at once, and clients that leave in the middle.
func TestManyClientsDoAllKindsOfThingsAtOnce(t *testing.T) {
	for _, procs := range []int{1, 2, 4} {
		before := runtime.GOMAXPROCS(procs)
		forever := make(chan bool)
		s := serve(t, &volo.Server{Handler: allKinds(forever), Logger: new(logs).logger(), Workers: min(procs, 2)})
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				for n := range 40 {
					switch (n + i) % 8 {
					case 0:
						s.leave("/block")
					case 1:
						s.leave("/stream")
					case 2:
						s.post("/echo")
					case 3:
						s.post("/unread")
					case 4:
						s.want("/sleep", 200, "slept")
					case 5:
						s.want("/panic", 500, "Internal Server Error\n")
						s.want("/exit", 500, "Internal Server Error\n")
					case 6:
						s.leave("/abort")
						s.leave("/stuck")
					case 7:
						pipelined(t, s, "/fast", 100)
						pipelined(t, s, "/inline", 100)
						pipelined(t, s, "/worker", 100)
					}
				}
			})
		}
		group.Wait()
		close(forever)
		s.stop()
		runtime.GOMAXPROCS(before)
	}
}
