// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"libvolo/go/volo/internal/cvolo"
)

// HTTP makes a [Handler] of any [http.Handler]: the standard mux, chi, gin and
// what was written for them run unchanged.
//
// They see what net/http would show them, with these exceptions.  A connection
// cannot be hijacked: [http.ResponseController] and the Hijacker interface say
// [http.ErrNotSupported], and so do deadlines and pushes.  Of a client's
// certificate, which was verified, r.TLS has the subject alone.  Of informational answers only
// 103 is sent.  A Connection field of the answer is the server's to write.  Trailers of a request are those that it has announced.  A panic is
// answered with 500 if nothing has been sent, and with a cut if something has;
// [http.ErrAbortHandler] cuts in any case.  The limits of the server hold: its
// body limit makes a read fail with an [http.MaxBytesError].
//
// It can stand beside other handlers in a [Router], and share its
// [Middleware].  Middleware that is put around it by hand hides what it is: its
// body is then read before it is called.
func HTTP(h http.Handler) Handler {
	if h == nil {
		panic("volo: nil http.Handler")
	}
	return &adapter{h}
}

type adapter struct{ handler http.Handler }

// ServeVolo has the handler answer c.
func (a *adapter) ServeVolo(c *Ctx) error {
	e, err := newCall(c)
	if err != nil {
		return err
	}
	defer e.ended()
	a.handler.ServeHTTP(&e.response, e.response.req)
	return e.response.finish()
}

// bodyKind says that the body is read as it comes, or not at all.
func (a *adapter) bodyKind() int { return streamBody }

// A call is what one exchange needs, in one piece; it is not used again, as
// handlers may keep a request.
type call struct {
	response response
	body     requestBody
	url      url.URL
	values   values
}

func newCall(c *Ctx) (*call, error) {
	x := c.on()
	job := &x.job
	e := &call{}
	req := new(http.Request).WithContext(c.Context())
	ip, port := cvolo.Peer(job.Cx)
	text := strs{make([]byte, sizeOf(job)+int(ip.Len)+len("[]:65535"))}

	req.Method = methodOf(job, &text)
	req.RequestURI = text.copy(job.Target)
	if err := fillURL(&e.url, req.Method, req.RequestURI); err != nil {
		return nil, Error(http.StatusBadRequest, "")
	}
	req.URL = &e.url
	req.Proto, req.ProtoMajor, req.ProtoMinor = protoOf(job.Version)
	fillHeader(req, job, &text, &e.values)
	if e.url.Host != "" {
		req.Host = e.url.Host
	}
	if job.Version == 10 {
		req.Close = !hasToken(strings.Join(req.Header["Connection"], ","), "keep-alive")
	}
	req.RemoteAddr = text.address(ip, port)
	req.TLS = connectionState(job.Cx, job.Version)
	e.body.open(c, req)
	e.response.c, e.response.req = c, req
	e.response.length = -1
	e.response.buffer = x.buffer[:0]
	return e, nil
}

func protoOf(version uint32) (string, int, int) {
	switch version {
	case 10:
		return "HTTP/1.0", 1, 0
	case 20:
		return "HTTP/2.0", 2, 0
	}
	return "HTTP/1.1", 1, 1
}

// address writes the other end of a connection as net/http does.
func (s *strs) address(ip cvolo.Str, port int) string {
	view := ip.View()
	if port == 0 {
		if view == "unix" {
			return "@"
		}
		return s.copy(ip)
	}
	b := s.left[:0]
	if strings.IndexByte(view, ':') >= 0 {
		b = append(append(append(b, '['), view...), ']')
	} else {
		b = append(b, view...)
	}
	b = strconv.AppendInt(append(b, ':'), int64(port), 10)
	return s.cut(len(b))
}

// ended is when the handler has returned or panicked: a panic goes on to the
// server, which answers 500 if nothing has been sent, and cuts off what has.
func (e *call) ended() {
	e.body.ended.Store(true)
	e.response.finished.Store(true)
}

// ---- The body --------------------------------------------------------------

// requestBody reads the body of an exchange for net/http.
type requestBody struct {
	c      *Ctx
	reader io.ReadCloser
	req    *http.Request
	ended  atomic.Bool // the handler has returned, or closed it
}

// open gives req its body.
func (b *requestBody) open(c *Ctx, req *http.Request) {
	if len(req.TransferEncoding) > 0 {
		req.ContentLength = -1
	} else if text := req.Header["Content-Length"]; len(text) > 0 {
		req.ContentLength, _ = strconv.ParseInt(text[0], 10, 64)
	} else if req.ProtoMajor == 2 {
		req.ContentLength = c.ContentLength() // it may be that there is a body
	}
	if req.ContentLength == 0 {
		req.Body = http.NoBody
		return
	}
	b.c, b.req = c, req
	req.Body = b
}

func (b *requestBody) Read(p []byte) (int, error) {
	if b.ended.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if b.reader == nil {
		b.reader = b.c.BodyReader()
	}
	n, err := b.reader.Read(p)
	if err != nil {
		err = b.fault(err)
	}
	return n, err
}

// Close lets go of the body; the server drops what has not been read.
func (b *requestBody) Close() error {
	b.ended.Store(true)
	return nil
}

// fault gives an error the name that it has in net/http.
func (b *requestBody) fault(err error) error {
	switch {
	case err == io.EOF:
		for name := range b.req.Trailer {
			if value := b.c.Trailer(name); value != "" {
				b.req.Trailer[name] = []string{value}
			}
		}
	case errors.Is(err, ErrTooBig):
		return &http.MaxBytesError{Limit: cvolo.BodyLimit(b.c.on().job.Cx)}
	case errors.Is(err, ErrCanceled):
		return io.ErrUnexpectedEOF
	}
	return err
}
