// SPDX-License-Identifier: Apache-2.0

package volo_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"

	"libvolo/go/volo"
	"libvolo/go/volo/volotest"
)

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func TestABodyIsReadAsItComesAndAnsweredAsItIsRead(t *testing.T) {
	r := volo.NewRouter()
	echo := func(c *volo.Ctx) error {
		_ = c.SetHeader("Content-Type", "a/b")
		_, err := io.Copy(c.Writer(), c.BodyReader())
		return err
	}
	r.Post("/stream", echo, volo.Streaming())
	r.Post("/whole", echo)
	s := serve(t, &volo.Server{Handler: r, MaxBody: 64 << 20})
	for _, path := range []string{"/stream", "/whole"} {
		for _, size := range []int{0, 1, 100, 70_000, 5_000_000} {
			for _, chunked := range []bool{false, true} {
				body := noise(size)
				var from io.Reader = bytes.NewReader(body)
				if chunked {
					from = io.MultiReader(from) // of no known length
				}
				resp, err := s.http.Post(s.url+path, "a/b", from)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || !bytes.Equal(got, body) || resp.Header.Get("Content-Type") != "a/b" {
					t.Errorf("%s %d %v: %d octets, %v", path, size, chunked, len(got), err)
				}
			}
		}
	}
}

func TestTheHandlerOfAStreamRunsBeforeTheBodyIsThere(t *testing.T) {
	r := volo.NewRouter()
	r.Post("/", func(c *volo.Ctx) error {
		w := c.Writer()
		_, _ = w.WriteString("go on")
		if err := w.Flush(); err != nil {
			return err
		}
		body, err := c.Body()
		if err != nil {
			return err
		}
		_, err = w.Write(body)
		return err
	}, volo.Streaming())
	s := serve(t, &volo.Server{Handler: r})
	in, out := io.Pipe()
	resp, err := s.http.Post(s.url, "a/b", in) // returns when the head is there
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	five := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, five); err != nil || string(five) != "go on" {
		t.Fatal(string(five), err)
	}
	go func() { _, _ = out.Write([]byte(" and on")); out.Close() }()
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != " and on" {
		t.Error(string(rest), err)
	}
}

// A client that sends no more than its part is held back by a handler that
// does not read.
func TestWhoSendsIsHeldBackByWhoDoesNotRead(t *testing.T) {
	goOn := make(chan struct{})
	sum := make(chan string, 1)
	r := volo.NewRouter()
	r.Post("/", func(c *volo.Ctx) error {
		<-goOn
		h := sha256.New()
		_, err := io.Copy(h, c.BodyReader())
		sum <- fmt.Sprintf("%x", h.Sum(nil))
		return err
	}, volo.Streaming())
	s := serve(t, &volo.Server{Handler: r, MaxBody: 1 << 30})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const size = 64 << 20
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size)
	h := sha256.New()
	block := noise(1 << 16)
	wrote := make(chan int, 1<<12)
	go func() {
		defer close(wrote)
		for n := 0; n < size; n += len(block) {
			if _, err := conn.Write(block); err != nil {
				t.Error(err)
				return
			}
			h.Write(block)
			wrote <- n
		}
	}()
	// Far less than all of it fits into the buffers between.
	last, stuck := 0, 0
	for stuck < 200 {
		select {
		case last = <-wrote:
			stuck = 0
		default:
			stuck++
			shortly()
		}
	}
	if last >= size-len(block) {
		t.Error("all of it was taken, though nobody reads")
	}
	close(goOn)
	for range wrote {
	}
	if got, want := <-sum, fmt.Sprintf("%x", h.Sum(nil)); got != want {
		t.Error("not what was sent")
	}
}

func TestWhoWritesWaitsForWhoReads(t *testing.T) {
	written := make(chan int64, 1)
	progress := make(chan int, 1<<16)
	r := volo.NewRouter()
	const size = 64 << 20
	r.Get("/", func(c *volo.Ctx) error {
		block := bytes.Repeat([]byte("x"), 1<<16)
		var n int64
		for n < size {
			m, err := c.Writer().Write(block)
			n += int64(m)
			if err != nil {
				return err
			}
			progress <- int(n)
		}
		written <- n
		return nil
	})
	s := serve(t, &volo.Server{Handler: r})
	resp, err := s.http.Get(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	last, stuck := 0, 0
	for stuck < 200 {
		select {
		case last = <-progress:
			stuck = 0
		default:
			stuck++
			shortly()
		}
	}
	if last >= size {
		t.Error("all of it was taken, though nobody reads")
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n != size || <-written != size {
		t.Error(n, err)
	}
}

func TestErrorsOfABodyReachTheReader(t *testing.T) {
	got := make(chan error, 1)
	began := make(chan bool, 1)
	r := volo.NewRouter()
	r.Post("/", func(c *volo.Ctx) error {
		began <- true
		_, err := io.Copy(io.Discard, c.BodyReader())
		got <- err
		return err
	}, volo.Streaming())
	s := serve(t, &volo.Server{Handler: r, MaxBody: 1000})
	addr := strings.TrimPrefix(s.url, "http://")
	for name, tc := range map[string]struct {
		send string
		err  error
		line string
	}{
		"too big":   {"Transfer-Encoding: chunked\r\n\r\nfff\r\n" + strings.Repeat("x", 0xfff), volo.ErrTooBig, "HTTP/1.1 413"},
		"malformed": {"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", volo.ErrProtocol, "HTTP/1.1 400"},
		"left":      {"Content-Length: 100\r\n\r\nx", volo.ErrCanceled, ""},
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\n%s", tc.send)
		<-began
		if tc.line == "" {
			conn.Close()
		} else if line, _ := bufio.NewReader(conn).ReadString('\n'); !strings.HasPrefix(line, tc.line) {
			t.Errorf("%s: %q", name, line)
		}
		if err := <-got; !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, want %v", name, err, tc.err)
		}
		conn.Close()
	}
}

func TestAReaderAndAWriterEndWithTheirHandler(t *testing.T) {
	var body io.Reader
	var w *volo.Writer
	r := volo.NewRouter()
	r.Post("/{stream}", func(c *volo.Ctx) error {
		body, w = c.BodyReader(), c.Writer()
		_, _ = body.Read(make([]byte, 1))
		if c.Param("stream") == "yes" {
			return w.Flush()
		}
		return nil
	}, volo.Streaming())
	c := volotest.New(t, r)
	for _, path := range []string{"/no", "/yes"} {
		c.Post(path, "a/b", noise(1<<20))
		if _, err := body.Read(make([]byte, 1)); err != volo.ErrClosed {
			t.Error(err)
		}
		if _, err := w.Write([]byte("x")); err != volo.ErrClosed {
			t.Error(err)
		}
		if err := w.Flush(); err != volo.ErrClosed {
			t.Error(err)
		}
	}
}

var hundredThousand = strings.Repeat("x", 100_000)

// writers are handlers that write in one way or another.
func writers(t *testing.T) map[string]volo.HandlerFunc {
	large := hundredThousand
	return map[string]volo.HandlerFunc{
		"/short": func(c *volo.Ctx) error { _, err := io.WriteString(c.Writer(), "short"); return err },
		"/large": func(c *volo.Ctx) error { _, err := io.WriteString(c.Writer(), large); return err },
		"/flushed": func(c *volo.Ctx) error {
			_ = c.Status(201).SetHeader("X-A", "1")
			_, _ = c.Writer().WriteString("a")
			err := c.Writer().Flush()
			if !c.Streamed() || c.SetHeader("X-B", "2") != volo.ErrAnswered || c.Text("x") != volo.ErrAnswered {
				t.Error("something could be changed after the head had left")
			}
			_, _ = c.Writer().WriteString("b")
			return err
		},
		"/length": func(c *volo.Ctx) error {
			c.SetLength(int64(len(large)))
			_, err := c.Writer().Write([]byte(large))
			return err
		},
		"/beyond": func(c *volo.Ctx) error {
			c.SetLength(3)
			_, _ = c.Writer().WriteString("abc")
			_ = c.Writer().Flush()
			_, _ = c.Writer().WriteString("d")
			if err := c.Writer().Flush(); err != volo.ErrTooBig {
				t.Error(err)
			}
			return nil
		},
		"/trailer": func(c *volo.Ctx) error {
			_, _ = c.Writer().WriteString("x")
			if err := c.Writer().Trailer("X-T\r\n", "v"); err != volo.ErrInvalid {
				t.Error(err)
			}
			return c.Writer().Trailer("X-T", "v")
		},
		"/reader": func(c *volo.Ctx) error { return c.Stream("a/b", strings.NewReader(large)) },
		"/broken": func(c *volo.Ctx) error {
			return c.Stream("a/b", io.MultiReader(strings.NewReader(large), failing{}))
		},
		"/short-of": func(c *volo.Ctx) error {
			c.SetLength(10)
			_, _ = c.Writer().WriteString("short")
			return c.Writer().Flush()
		},
		"/empty": func(c *volo.Ctx) error { return c.Writer().Flush() },
		"/text":  func(c *volo.Ctx) error { c.Writer(); return c.Text("text") },
	}
}

func TestWritersOfEveryKind(t *testing.T) {
	large := hundredThousand
	r := volo.NewRouter()
	for path, h := range writers(t) {
		r.Get(path, h)
	}
	c := volotest.New(t, &volo.Server{Handler: r, Logger: new(logs).logger()})
	for path, want := range map[string]string{
		"/short": "short", "/large": large, "/flushed": "ab", "/length": large, "/trailer": "x", "/reader": large, "/empty": "", "/text": "text",
	} {
		got, err := c.Send(volotest.Request{Target: path, Trailers: []string{"X-T"}})
		if err != nil {
			t.Error(path, err)
			continue
		}
		if got.Text() != want {
			t.Errorf("%s: %d octets, want %d", path, len(got.Body), len(want))
		}
		if path == "/trailer" && got.Trailer.Get("X-T") != "v" {
			t.Error(got)
		}
		if path == "/flushed" && (got.Status != 201 || got.Header.Get("X-A") != "1" || got.Header.Get("X-B") != "") {
			t.Error(got)
		}
	}
	for _, path := range []string{"/broken", "/short-of", "/beyond"} {
		if got, err := c.Send(volotest.Request{Target: path}); err != volo.ErrProtocol {
			t.Error(path, got, err)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestAStreamOnALoopsThreadIsRefused(t *testing.T) {
	r := volo.NewRouter()
	r.SetMode(volo.Inline)
	r.Get("/flush", func(c *volo.Ctx) error { return c.Writer().Flush() })
	r.Get("/short", func(c *volo.Ctx) error { _, err := c.Writer().WriteString("short"); return err })
	c := volotest.New(t, &volo.Server{Handler: r, Logger: new(logs).logger()})
	if got := c.Get("/flush"); got.Status != 500 {
		t.Error(got)
	}
	if got := c.Get("/short"); got.Text() != "short" {
		t.Error(got)
	}
}

func TestFilesAreLibvolosToSend(t *testing.T) {
	dir := t.TempDir()
	content := noise(300_000)
	path := dir + "/a.css"
	if err := writeFile(path, content); err != nil {
		t.Fatal(err)
	}
	r := volo.NewRouter()
	r.SetMode(volo.Inline)
	r.Get("/file", func(c *volo.Ctx) error { _ = c.SetHeader("X-A", "1"); return c.File(path) })
	r.Get("/typed", func(c *volo.Ctx) error { _ = c.SetHeader("Content-Type", "a/b"); return c.File(path) }, volo.InMode(volo.Goroutine))
	r.Get("/none", func(c *volo.Ctx) error { return c.File(dir + "/none") })
	r.Get("/nul", func(c *volo.Ctx) error { return c.File("a\x00b") })
	c := volotest.New(t, &volo.Server{Handler: r, Logger: new(logs).logger()})
	if got := c.Get("/file"); !bytes.Equal(got.Body, content) || got.Header.Get("Content-Type") != "text/css; charset=utf-8" || got.Header.Get("X-A") != "1" {
		t.Error(got.Status, got.Header, len(got.Body))
	}
	if got := c.Get("/typed"); !bytes.Equal(got.Body, content) || got.Header.Get("Content-Type") != "a/b" {
		t.Error(got.Status, got.Header, len(got.Body))
	}
	if got := c.Get("/none"); got.Status != 404 {
		t.Error(got)
	}
	if got := c.Get("/nul"); got.Status != 500 {
		t.Error(got)
	}
}

func TestExpectContinueIsAnsweredWhenTheHandlerReads(t *testing.T) {
	r := volo.NewRouter()
	r.Post("/", func(c *volo.Ctx) error {
		body, err := c.Body()
		if err != nil {
			return err
		}
		return c.Text(string(body))
	}, volo.Streaming())
	r.Put("/", func(*volo.Ctx) error { return volo.Error(http.StatusForbidden, "") }, volo.Streaming())
	s := serve(t, &volo.Server{Handler: r})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	if line, _ := in.ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatal(line)
	}
	_, _ = in.ReadString('\n')
	fmt.Fprint(conn, "hi")
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(resp.Body); string(body) != "hi" {
		t.Error(string(body))
	}
	fmt.Fprint(conn, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	if line, _ := in.ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 403") {
		t.Error(line)
	}
}
