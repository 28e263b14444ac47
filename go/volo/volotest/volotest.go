// SPDX-License-Identifier: Apache-2.0

// Package volotest sends requests to a handler of package volo through its
// real chain, layers of libvolo included, with no socket.
//
//	c := volotest.New(t, router)
//	r := c.Get("/users/7")
//	if r.Status != 200 || r.Text() != "Ann" { t.Fatal(r) }
//
// A Client is an [http.RoundTripper] too, for code that has an http.Client.
package volotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"libvolo/go/volo"
	"libvolo/go/volo/internal/bridge"
	"libvolo/go/volo/internal/cvolo"
)

// Client sends requests to one handler, one at a time, from any goroutine.
type Client struct {
	tb   testing.TB // nil: errors are panics
	work chan func()
	done chan struct{}
	stop func()
	once sync.Once

	c cvolo.Volo_test // its own thread's
}

// New makes a client of h, a [volo.Handler] or a *[volo.Server], whose settings
// for handlers are used then.  It is closed at the end of the test; while it is
// open, nobody else can serve h.
func New(tb testing.TB, h any) *Client {
	tb.Helper()
	c, err := Open(h)
	if err != nil {
		tb.Fatal(err)
	}
	c.tb = tb
	tb.Cleanup(c.Close)
	return c
}

// Open is [New] without a test: the caller closes it, and what goes wrong is a
// panic.
func Open(h any) (*Client, error) {
	service, stop, err := bridge.Start(h)
	if err != nil {
		return nil, err
	}
	c := &Client{work: make(chan func()), done: make(chan struct{}), stop: stop}
	began := make(chan error)
	go c.run(service, began)
	if err := <-began; err != nil {
		<-c.done
		stop()
		return nil, err
	}
	return c, nil
}

// run is the thread of the client's loop.
func (c *Client) run(service cvolo.Volo_service, began chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(c.done)
	var at uintptr
	if err := cvolo.Volo_test_new(&at, service); err < 0 {
		began <- volo.Code(err)
		return
	}
	c.c = cvolo.SwigcptrVolo_test(at)
	began <- nil
	for f := range c.work {
		f()
	}
	cvolo.DeleteVolo_test(c.c)
}

// Close ends the client, and waits for handlers that run still.
func (c *Client) Close() {
	c.once.Do(func() {
		close(c.work)
		<-c.done
		c.stop()
	})
}

// Request is one to be sent.
type Request struct {
	Method string // GET if empty
	Target string // path and query
	Header http.Header
	Body   []byte
	// Trailers are the names of those that the response is to be asked for.
	Trailers []string
	// Chunk gives the body in pieces of so many octets, without announcing its
	// length; 0 for whole.
	Chunk int
	// Peer is the address that the client has.
	Peer string
	// Leave has the client leave after that time; 0: it waits.
	Leave time.Duration
}

// Response is what was answered.
type Response struct {
	Status  int
	Header  http.Header // names as net/http writes them
	Trailer http.Header
	Body    []byte
}

// Text is the body as a string.
func (r *Response) Text() string { return string(r.Body) }

// JSON decodes the body.
func (r *Response) JSON(into any) error { return json.Unmarshal(r.Body, into) }

// String says all of it, for messages.
func (r *Response) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", r.Status, http.StatusText(r.Status))
	_ = r.Header.Write(&b)
	b.WriteString("\n")
	b.Write(r.Body)
	return b.String()
}

// Get sends a GET.
func (c *Client) Get(target string) *Response {
	c.help()
	return c.Do(Request{Target: target})
}

// Post sends a POST.
func (c *Client) Post(target, contentType string, body []byte) *Response {
	c.help()
	return c.Do(Request{Method: http.MethodPost, Target: target, Body: body,
		Header: http.Header{"Content-Type": {contentType}}})
}

// PostJSON sends v as JSON with POST.
func (c *Client) PostJSON(target string, v any) *Response {
	c.help()
	body, err := json.Marshal(v)
	if err != nil {
		c.fail(err)
	}
	return c.Post(target, "application/json", body)
}

// Do sends r.  That there is no answer fails the test; see [Client.Send].
func (c *Client) Do(r Request) *Response {
	c.help()
	response, err := c.Send(r)
	if err != nil {
		c.fail(fmt.Errorf("%s %s: %w", r.Method, r.Target, err))
	}
	return response
}

func (c *Client) help() {
	if c.tb != nil {
		c.tb.Helper()
	}
}

func (c *Client) fail(err error) {
	if c.tb == nil {
		panic(err)
	}
	c.tb.Helper()
	c.tb.Fatal(err)
}

// Send sends r and waits at most 10 seconds for the answer.
//
// Errors: volo.ErrTimedOut, volo.ErrCanceled (the client has left),
// volo.ErrProtocol (the answer was cut off), volo.ErrInvalid, volo.ErrNoMemory.
func (c *Client) Send(r Request) (*Response, error) {
	var response *Response
	var err error
	done := make(chan struct{})
	c.work <- func() {
		defer close(done)
		response, err = c.send(&r)
	}
	<-done
	return response, err
}

func (c *Client) send(r *Request) (*Response, error) {
	request, err := c.request(r)
	if err < 0 {
		return nil, volo.Code(err)
	}
	var at uintptr
	if err = cvolo.Volo_test_send(&at, c.c, request); err < 0 {
		return nil, volo.Code(err)
	}
	answer := cvolo.SwigcptrVolo_test_response(at)
	defer cvolo.DeleteVolo_test_response(answer)
	response := &Response{Status: cvolo.Volo_test_status(answer), Header: http.Header{},
		Body: []byte(cvolo.Volo_test_body(answer)), Trailer: http.Header{}}
	for i := range int(cvolo.Volo_test_header_count(answer)) {
		response.Header.Add(cvolo.TestHeader(answer, i))
	}
	for _, name := range r.Trailers {
		if value := cvolo.Volo_test_trailer(answer, name); value != "" {
			response.Trailer.Set(name, value)
		}
	}
	return response, nil
}

func (c *Client) request(r *Request) (cvolo.Volo_test_request, int) {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	if strings.Contains(method+r.Target+r.Peer, "\x00") {
		return nil, int(volo.ErrInvalid)
	}
	var at uintptr
	err := cvolo.Volo_test_request_new(&at, c.c, method, r.Target)
	if err < 0 {
		return nil, err
	}
	request := cvolo.SwigcptrVolo_test_request(at)
	for name, values := range r.Header {
		for _, value := range values {
			if strings.Contains(name+value, "\x00") {
				return nil, int(volo.ErrInvalid)
			}
			if err = cvolo.Volo_test_request_header(request, name, value); err < 0 {
				return nil, err // it goes with the client
			}
		}
	}
	if r.Body != nil {
		err = cvolo.Volo_test_request_body(request, string(r.Body))
	}
	if err == 0 && r.Peer != "" {
		err = cvolo.Volo_test_request_peer(request, r.Peer)
	}
	cvolo.Volo_test_request_chunk(request, int64(r.Chunk))
	if r.Leave > 0 {
		cvolo.Volo_test_request_leave(request, uint64(max(r.Leave/time.Millisecond, 1)))
	}
	return request, err
}

// RoundTrip is for an http.Client: it sends r, whose host is told, not looked
// up.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	request := Request{Method: r.Method, Target: r.URL.RequestURI(), Header: r.Header.Clone()}
	if request.Header == nil {
		request.Header = http.Header{}
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	request.Header.Set("Host", host)
	if r.Body != nil {
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		request.Body = body
		if r.ContentLength < 0 {
			request.Chunk = 4096
		}
	}
	answer, err := c.Send(request)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", answer.Status, http.StatusText(answer.Status)), StatusCode: answer.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: answer.Header, Trailer: answer.Trailer,
		Body: io.NopCloser(bytes.NewReader(answer.Body)), ContentLength: int64(len(answer.Body)), Request: r,
	}, nil
}

// HTTP is an http.Client that sends its requests here.
func (c *Client) HTTP() *http.Client { return &http.Client{Transport: c} }
