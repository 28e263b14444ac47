// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
)

// What a handler writes is kept up to this size, so that the length of a small
// answer is known; what is longer is streamed.
const httpBuffer = 16 << 10

var errFinished = errors.New("volo: http.ResponseWriter used after its handler has returned")

// response is the http.ResponseWriter of one exchange.
type response struct {
	c      *Ctx
	req    *http.Request
	header http.Header // the handler's
	sent   http.Header // as it was at WriteHeader, if it may have changed since
	writer *Writer     // nil until the head has left
	buffer []byte

	status   int
	length   int64 // as Content-Length says; -1 if it does not
	written  int64
	trailers []string // as Trailer says
	whole    bool     // all that Content-Length says has been handed over
	finished atomic.Bool
	err      error
}

// Header gives the fields of the answer, to be changed until WriteHeader, and
// trailers after it.
func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header, 4)
	}
	if w.status != 0 && w.sent == nil && w.writer == nil {
		w.sent = w.header.Clone()
	}
	return w.header
}

// head gives the fields as they were at WriteHeader.
func (w *response) head() http.Header {
	if w.sent != nil {
		return w.sent
	}
	return w.header
}

// WriteHeader sets the status and ends the time in which fields can be set.
// Of the informational ones (100 to 199), 103 is sent at once with the fields
// of now; the others are not, as HTTP lets a server leave them out.
func (w *response) WriteHeader(code int) {
	switch {
	case w.finished.Load():
		w.warn("http: response.WriteHeader after its handler has returned")
		return
	case w.status != 0:
		w.warn("http: superfluous response.WriteHeader call from %s", caller())
		return
	case code < 100 || code > 999:
		panic(fmt.Sprintf("invalid WriteHeader code %v", code))
	case code == http.StatusSwitchingProtocols:
		w.warn("http: %s: 101 is not supported, as the connection cannot be hijacked", caller())
		code = http.StatusNotImplemented
	case code < 200:
		w.inform(code)
		return
	}
	w.status = code
	w.length = w.announced()
	if declared, ok := w.header["Trailer"]; ok {
		w.trailers = namesIn(declared)
	}
}

// announced is what Content-Length says.
func (w *response) announced() int64 {
	text := w.header.Get("Content-Length")
	if text == "" {
		return -1
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		w.warn("http: invalid Content-Length of %q", text)
		w.header.Del("Content-Length")
		return -1
	}
	return n
}

// namesIn gives the names in the lines of a Trailer field.
func namesIn(lines []string) []string {
	var names []string
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, http.CanonicalHeaderKey(name))
			}
		}
	}
	return names
}

// caller names the first function outside of this package, as net/http does.
func caller() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "libvolo/go/volo.(*response)") {
			return fmt.Sprintf("%s (%s:%d)", frame.Function, frame.File, frame.Line)
		}
		if !more {
			return "unknown"
		}
	}
}

func (w *response) warn(format string, args ...any) {
	slog.Warn(fmt.Sprintf(format, args...))
}

// ---- Content ---------------------------------------------------------------

// Write adds to the content; WriteHeader(200) comes before if nobody has
// called it.  What is written is streamed as soon as it is larger than 16 KiB.
func (w *response) Write(data []byte) (int, error) {
	if err := w.account(len(data)); err != nil {
		return 0, err
	}
	if w.writer == nil && w.length == int64(len(data)) && len(data) > httpBuffer &&
		len(w.buffer) == 0 && w.req.Method != http.MethodHead && w.trailers == nil {
		return len(data), w.sendWhole(data)
	}
	if w.writer == nil && len(w.buffer)+len(data) <= httpBuffer {
		w.buffer = append(w.buffer, data...)
		return len(data), nil
	}
	if err := w.begin(data); err != nil {
		return 0, err
	}
	if w.req.Method == http.MethodHead {
		return len(data), nil
	}
	return w.writer.Write(data)
}

// WriteString is Write.
func (w *response) WriteString(text string) (int, error) {
	if w.writer != nil || len(w.buffer)+len(text) > httpBuffer {
		return w.Write([]byte(text))
	}
	if err := w.account(len(text)); err != nil {
		return 0, err
	}
	w.buffer = append(w.buffer, text...)
	return len(text), nil
}

// account sees to what net/http sees to before n octets are written.
func (w *response) account(n int) error {
	switch {
	case w.finished.Load():
		return errFinished
	case w.err != nil:
		return w.err
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case n == 0:
		return nil
	case !mayHaveBody(w.status):
		return http.ErrBodyNotAllowed
	}
	w.written += int64(n) // also if it is too much: all after it is refused
	if w.length >= 0 && w.written > w.length {
		return http.ErrContentLength
	}
	return nil
}

func mayHaveBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// ReadFrom writes what r gives until io.EOF.
func (w *response) ReadFrom(r io.Reader) (n int64, err error) {
	block := blocks.Get().(*[32 << 10]byte)
	defer blocks.Put(block)
	for {
		got, err := r.Read(block[:])
		if got > 0 {
			put, failed := w.Write(block[:got])
			n += int64(put)
			if failed != nil {
				return n, failed
			}
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// Flush sends what has been written.
func (w *response) Flush() { w.FlushError() }

// FlushError is Flush with what went wrong.
func (w *response) FlushError() error {
	if w.finished.Load() {
		return errFinished
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.whole || w.err != nil {
		return w.err
	}
	if err := w.begin(nil); err != nil {
		return err
	}
	return w.writer.Flush()
}

// ---- What cannot be had ----------------------------------------------------

// Hijack fails: the connection is the server's, and other exchanges are on it.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, fmt.Errorf("volo: hijacking a connection: %w", http.ErrNotSupported)
}

// EnableFullDuplex does nothing: a body can always be read while the answer is
// written.
func (w *response) EnableFullDuplex() error { return nil }

// CloseNotify tells of a client that leaves.
//
// Deprecated: as in net/http; use the context of the request.
func (w *response) CloseNotify() <-chan bool {
	told := make(chan bool, 1)
	done := w.req.Context().Done()
	go func() {
		<-done
		told <- true
	}()
	return told
}
