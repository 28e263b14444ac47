// SPDX-License-Identifier: Apache-2.0

// The behaviour server in Go: the routes that end-to-end tests, benchmarks and
// outside conformance suites drive, the same as in examples/serve/c.
//
// Its environment configures it:
//
//	PORT, WORKERS       the port on 127.0.0.1 (8080) and how many loops (1)
//	TRUST_PROXY         networks whose connections there begin with a header of
//	                    the PROXY protocol
//	HALF_CLOSE          1: answer clients that have shut down writing
//	HTTP1               0: HTTP/2 alone
//	TLS_PORT            another port, for TLS, with
//	TLS_CERT, TLS_KEY   the chain and the key, and where they are set,
//	TLS_CERT2, TLS_KEY2 others, which the server name chooses,
//	TLS_CLIENT_CA       who signs clients' certificates, which are
//	TLS_CLIENT          "required", else optional
//
// SIGINT and SIGTERM stop it gracefully, a second one at once; SIGHUP reads the
// certificates again.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"libvolo/examples/go/serve"
	"libvolo/go/volo"
)

const (
	sharedSize = 64 << 20 // the most that /bytes and /stream give
	sliceSize  = 64 << 10 // of it in one write
	slowMax    = 60000
)

// shared is never written to, so its zeros take no memory.
var shared [sliceSize]byte

// ---- Short answers -----------------------------------------------------------

func root(c *volo.Ctx) error { return c.String("text/plain", "ok\n") }

func plaintext(c *volo.Ctx) error { return c.String("text/plain", "Hello, World!") }

type message struct {
	Message string `json:"message"`
}

func json(c *volo.Ctx) error { return c.JSON(message{"Hello, World!"}) }

func post(c *volo.Ctx) error {
	return c.String("text/plain", c.Param("id")+" "+c.Param("post"))
}

type sum struct {
	A int64 `query:"a"`
	B int64 `query:"b"`
}

func query(_ context.Context, in sum) (plain, error) {
	n := in.A + in.B
	if (n > in.A) != (in.B > 0) {
		return "", volo.Reject(422, "b", "query", "the sum overflows")
	}
	return plain(strconv.FormatInt(n, 10)), nil
}

// plain is a text whose type has no charset.
type plain string

func (p plain) Respond(c *volo.Ctx) error { return c.String("text/plain", string(p)) }

type withCode struct {
	Code uint64 `path:"code"`
}

func status(_ context.Context, in withCode) (volo.StatusOnly, error) {
	if in.Code < 200 || in.Code > 999 {
		return 0, volo.Reject(422, "code", "path", "must be from 200 to 999")
	}
	return volo.StatusOnly(in.Code), nil
}

// letGo ends without an answer, which makes it 500.
func letGo(*volo.Ctx) error { return volo.ErrDropped }

func fail(*volo.Ctx) error { panic("as it was asked to") }

// headers answers with an array of [name, value], because an object has
// neither order nor repeated names.
func headers(c *volo.Ctx) error {
	list := [][2]string{}
	for name, value := range c.Headers() {
		list = append(list, [2]string{name, latin1(value)})
	}
	return c.JSON(list)
}

// latin1 makes text of a field value, which may hold any octet from 0x80.
func latin1(value string) string {
	runes := make([]rune, 0, len(value))
	for i := range len(value) {
		runes = append(runes, rune(value[i]))
	}
	return string(runes)
}

// ---- Large answers -----------------------------------------------------------

type sized struct {
	N uint64 `path:"n"`
}

// Validate refuses what is too long.
func (s sized) Validate() error {
	if s.N > sharedSize {
		return volo.Invalid{Field: "n", In: "path", Reason: "must be at most 67108864"}
	}
	return nil
}

// zeros is that many of them, written as the client takes them.
type zeros struct {
	n        int64
	announce bool
}

func (z zeros) Respond(c *volo.Ctx) error {
	if z.announce && z.n <= sliceSize {
		return c.Bytes("application/octet-stream", shared[:z.n])
	}
	if err := c.SetHeader("Content-Type", "application/octet-stream"); err != nil {
		return err
	}
	if z.announce {
		c.SetLength(z.n)
	}
	w := c.Writer()
	if err := w.Flush(); err != nil {
		return err
	}
	for left := z.n; left > 0; left -= sliceSize {
		if _, err := w.Write(shared[:min(left, sliceSize)]); err != nil {
			return err
		}
	}
	return nil
}

func bytes(_ context.Context, in sized) (zeros, error) { return zeros{int64(in.N), true}, nil }

func stream(_ context.Context, in sized) (zeros, error) { return zeros{int64(in.N), false}, nil }

// ---- Echo: the body back while it comes ----------------------------------------

func echo(c *volo.Ctx) error {
	kind, ok := c.LookupHeader("Content-Type")
	if !ok {
		kind = "application/octet-stream"
	}
	if err := c.SetHeader("Content-Type", kind); err != nil {
		return err
	}
	c.SetLength(c.ContentLength())
	_, err := io.Copy(c.Writer(), c.BodyReader())
	return err
}

// ---- Slow ----------------------------------------------------------------------

type delay struct {
	MS uint64 `query:"ms" default:"100"`
}

// Validate refuses what is too long.
func (d delay) Validate() error {
	if d.MS > slowMax {
		return volo.Invalid{Field: "ms", In: "query", Reason: "must be at most 60000"}
	}
	return nil
}

// slow answers after a while, or not at all if the client has left.
func slow(ctx context.Context, in delay) (plain, error) {
	timer := time.NewTimer(time.Duration(in.MS) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return "ok\n", nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// block holds its goroutine up, and nobody else.
func block(_ context.Context, in delay) (plain, error) {
	time.Sleep(time.Duration(in.MS) * time.Millisecond)
	return "ok\n", nil
}

// ---- Putting it together -------------------------------------------------------

func noOp(next volo.Handler) volo.Handler {
	return volo.HandlerFunc(func(c *volo.Ctx) error { return next.ServeVolo(c) })
}

func routes() *volo.Router {
	r := volo.NewRouter()
	r.Get("/", root)
	r.Get("/plaintext", plaintext)
	r.Get("/json", json)
	r.Get("/users/{id}/posts/{post}", post)
	volo.Get(r, "/query", query)
	r.Any("/echo", echo, volo.Streaming())
	volo.Get(r, "/bytes/{n}", bytes)
	volo.Get(r, "/stream/{n}", stream)
	r.Get("/headers", headers)
	volo.Get(r, "/status/{code}", status)
	volo.Get(r, "/slow", slow)
	volo.Get(r, "/block", block)
	r.Get("/drop", letGo)
	r.Get("/error", fail)
	r.Get("/connection", connection)
	r.Get("/hints", hints)
	r.Any("/trailers", trailers)
	layers := r.Group("/layers", nil)
	layers.Use(noOp, noOp, noOp, noOp, noOp)
	layers.Get("/", plaintext)
	return r
}

func main() {
	server := &volo.Server{
		Handler:           routes(),
		Workers:           setting("WORKERS", 1),
		MaxBody:           16 << 20,
		ReadHeaderTimeout: 10 * time.Second,
		BodyTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       15 * time.Second,
		HalfClose:         setting("HALF_CLOSE", 0) == 1,
		DisableHTTP1:      setting("HTTP1", 1) == 0,
	}
	err := listen(server)
	if err == nil {
		err = serve.Run(server)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "volo-serve:", err)
		os.Exit(1)
	}
}
