// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"libvolo/go/volo"
)

func TestShutdownLetsWorkInFlightFinish(t *testing.T) {
	began, goOn := make(chan bool), make(chan bool)
	r := volo.NewRouter()
	r.Get("/", func(c *volo.Ctx) error {
		began <- true
		<-goOn
		return c.Text("finished")
	})
	s := serve(t, &volo.Server{Handler: r})
	answers := make(chan string)
	for range 10 {
		go func() {
			status, body := s.get("/")
			answers <- fmt.Sprint(status, body)
		}()
		<-began
	}
	down := make(chan error)
	go func() { down <- s.Shutdown(context.Background()) }()
	eventually(t, "a new connection is refused", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	close(goOn)
	for range 10 {
		if got := <-answers; got != "200finished" {
			t.Error(got)
		}
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestShutdownThatMayNotWaitCutsOff(t *testing.T) {
	began, ended := make(chan bool), make(chan bool)
	r := volo.NewRouter()
	r.Get("/", func(c *volo.Ctx) error {
		began <- true
		<-c.Context().Done()
		close(ended)
		return nil
	})
	s := serve(t, &volo.Server{Handler: r})
	failed := make(chan error)
	go func() { _, err := s.http.Get(s.url); failed <- err }()
	<-began
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Shutdown(ctx); err != context.Canceled {
		t.Error(err)
	}
	if err := <-failed; err == nil {
		t.Error("answered")
	}
	<-ended
	if err := <-s.over; err != volo.ErrServerClosed {
		t.Error(err)
	}
	s.over = nil
}

func TestCloseWaitsForNobody(t *testing.T) {
	began, forever := make(chan bool), make(chan bool)
	r := volo.NewRouter()
	r.Get("/", func(*volo.Ctx) error { began <- true; <-forever; return nil })
	s := serve(t, &volo.Server{Handler: r})
	go func() { _, _ = s.http.Get(s.url) }()
	<-began
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-s.over; err != volo.ErrServerClosed {
		t.Error(err)
	}
	s.over = nil
	close(forever)
}

func TestAServerServesAgain(t *testing.T) {
	r := volo.NewRouter()
	r.Use(tag("a"))
	r.Get("/", text("ok"))
	s := &volo.Server{Handler: r}
	for range 3 {
		run := serve(t, s)
		run.want("/", 200, "ok")
		run.want("/none", 404, "Not Found\n")
		run.stop()
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestWhatWasBoundAndNeverServedIsLetGo(t *testing.T) {
	s := &volo.Server{Handler: text("x")}
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", s.Port(0))
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("it listens still")
	}
}

func TestAHandlerThatIsNoRouterGetsEverything(t *testing.T) {
	s := serve(t, &volo.Server{Handler: volo.HandlerFunc(func(c *volo.Ctx) error { return c.Text(c.Method() + c.Path()) })})
	s.want("/a/b", 200, "GET/a/b")
	req, _ := http.NewRequest("OPTIONS", s.url+"/x", nil)
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "OPTIONS/x" {
		t.Error(string(body))
	}
}

func TestListenersOfEveryKind(t *testing.T) {
	path := t.TempDir() + "/sock"
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &volo.Server{Handler: volo.HandlerFunc(func(c *volo.Ctx) error { return c.Text(c.RemoteAddr()) })}
	for _, err := range []error{s.Listen("unix:" + path), s.ListenOn(tcp)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	addr := tcp.Addr().String()
	tcp.Close() // the duplicate stays
	run := serve(t, s)
	if s.Port(0) != 0 || s.Port(1) == 0 || s.Port(9) != 0 {
		t.Error(s.Port(0), s.Port(1), s.Port(9))
	}
	unix := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	resp, err := unix.Get("http://x/")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "unix" {
		t.Error(string(body))
	}
	resp, err = run.http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	body, _ = io.ReadAll(resp.Body)
	resp.Body.Close()
	if !strings.HasPrefix(string(body), "127.0.0.1:") {
		t.Error(string(body))
	}
}

func TestMistakesInServing(t *testing.T) {
	if err := (&volo.Server{}).ListenAndServe(); err != volo.ErrInvalid {
		t.Error(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	err = volo.ListenAndServe(taken.Addr().String(), text(""))
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) || !isAddrInUse(err) {
		t.Error(err)
	}
	for _, addr := range []string{"nonsense", "127.0.0.1:99999", "a\x00b:1"} {
		if err := volo.ListenAndServe(addr, text("")); err == nil {
			t.Error(addr)
		}
	}
	s := serve(t, &volo.Server{Handler: text("")})
	s.get("/")
	if err := s.Listen("127.0.0.1:0"); err != volo.ErrBusy {
		t.Error(err)
	}
	if err := s.Serve(); err != volo.ErrBusy {
		t.Error(err)
	}
	shared := volo.NewRouter()
	serve(t, &volo.Server{Handler: shared}).get("/")
	if err := volo.ListenAndServe("127.0.0.1:0", shared); err == nil || !strings.Contains(err.Error(), "served already") {
		t.Error(err)
	}
}

func isAddrInUse(err error) bool {
	return strings.Contains(err.Error(), "in use") && isErrno(err, syscall.EADDRINUSE)
}

func TestLimitsAreThoseOfTheFields(t *testing.T) {
	s := serve(t, &volo.Server{Handler: text("ok"), MaxHeaderBytes: 1000, MaxBody: 10, MaxHeaders: 20, MaxTargetBytes: 100,
		ServerName: "test", IdleTimeout: time.Minute, ReadHeaderTimeout: -1, MaxConns: 1000, Backlog: 16})
	s.want("/", 200, "ok")
	s.want("/"+strings.Repeat("x", 200), 414, "URI Too Long\n")
	req, _ := http.NewRequest("GET", s.url, nil)
	req.Header.Set("X", strings.Repeat("x", 2000))
	resp, err := s.http.Do(req)
	if err != nil || resp.StatusCode != 431 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	resp, err = s.http.Post(s.url, "a/b", strings.NewReader(strings.Repeat("x", 11)))
	if err != nil || resp.StatusCode != 413 || resp.Header.Get("Server") != "test" {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	// A loop counts after it has answered.
	eventually(t, "the counters to show it", func() bool {
		stats := s.Stats()
		return stats.Requests >= 2 && stats.Malformed > 0 && stats.Accepted > 0
	})
	if got := (&volo.Server{Handler: text("")}).Stats(); got != (volo.Stats{}) {
		t.Error(got)
	}
}

func TestAnAccessLogGoesToItsFile(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	r := volo.NewRouter()
	r.UseNative(volo.AccessLog(volo.LogCommon, write))
	r.Get("/", text("ok"))
	s := serve(t, &volo.Server{Handler: r})
	s.want("/", 200, "ok")
	s.stop()
	write.Close()
	if line, _ := io.ReadAll(read); !strings.Contains(string(line), `"GET / HTTP/1.1" 200 2`) {
		t.Error(string(line))
	}
}
