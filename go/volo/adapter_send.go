// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// blocks are what ReadFrom reads into.
var blocks = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// begin sends the head and what has been written so far; what follows is
// streamed.  next is what will be written then, for the type of the content.
func (w *response) begin(next []byte) error {
	if w.writer != nil || w.err != nil {
		return w.err
	}
	x := w.c.on()
	w.putHead(x, w.buffer, next)
	x.length = w.length
	writer := w.c.Writer()
	w.writer = writer
	if len(w.buffer) > 0 && w.req.Method != http.MethodHead {
		_, w.err = writer.Write(w.buffer)
	}
	if w.err == nil {
		w.err = writer.Flush()
	}
	w.buffer = w.buffer[:0]
	return w.err
}

// sendWhole answers with all of the content at once.
func (w *response) sendWhole(body []byte) error {
	x := w.c.on()
	w.putHead(x, body, nil)
	w.whole = true
	w.err = x.setBytes(body)
	return w.err
}

// finish sends what is left once the handler has returned.
func (w *response) finish() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	x := w.c.on()
	w.finished.Store(true)
	switch {
	case w.whole || w.err != nil:
		return w.err
	case w.writer != nil:
		return w.finishStream()
	case w.isStreamOnly():
		if err := w.begin(nil); err != nil {
			return err
		}
		return w.finishStream()
	}
	w.putHead(x, w.buffer, nil)
	x.buffer = w.buffer
	return x.keepBuffer()
}

// isStreamOnly says whether an answer that would fit in memory needs a stream:
// for its trailers, or because its content is not what its length says.
func (w *response) isStreamOnly() bool {
	switch {
	case !mayHaveBody(w.status):
		return false
	case w.req.Method == http.MethodHead:
		return w.length >= 0 || len(w.buffer) == 0
	}
	return w.trailers != nil || w.hasPrefixed() ||
		(w.length >= 0 && w.length != w.written)
}

func (w *response) hasPrefixed() bool {
	for name := range w.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

// finishStream ends a stream with its trailers.  One that is shorter than was
// announced is cut off, so that the client can tell.
func (w *response) finishStream() error {
	if w.req.Method != http.MethodHead && w.length >= 0 && w.written != w.length {
		w.writer.Abort()
		return nil
	}
	for _, name := range w.trailers {
		w.putTrailer(name, w.header[name])
	}
	for name, values := range w.header {
		if rest, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			w.putTrailer(rest, values)
		}
	}
	return w.writer.Flush()
}

func (w *response) putTrailer(name string, values []string) {
	for _, value := range values {
		if err := w.writer.Trailer(name, clean(value)); err != nil {
			w.warn("http: trailer %q: %v", name, err)
		}
	}
}

// inform sends a 103.  It is advice: what does not work is left out.
func (w *response) inform(code int) {
	if code != http.StatusEarlyHints {
		return
	}
	hints := http.Header{}
	for name, values := range w.header {
		if !w.isSent(name) {
			continue
		}
		for _, value := range values {
			if value = clean(value); isFieldValue(value) {
				hints[name] = append(hints[name], value)
			}
		}
	}
	if err := w.c.EarlyHints(hints); err != nil && !errors.Is(err, ErrCanceled) {
		w.warn("http: 103 was not sent: %v", err)
	}
}

// ---- The head --------------------------------------------------------------

// putHead gives the exchange status and fields.  What libvolo writes itself is
// left out; a value that may not be in a message is made harmless, as net/http
// does.
func (w *response) putHead(x *exchange, body, next []byte) {
	x.status = w.status
	header := w.head()
	if len(x.fields) > 0 { // of middleware outside
		for name := range header {
			w.c.RemoveHeader(name)
		}
	}
	before := len(x.fields)
	for name, values := range header {
		if !w.isSent(name) {
			continue
		}
		for _, value := range values {
			if value = clean(value); name == "Content-Type" {
				x.contentType = value
			} else if isFieldValue(value) {
				x.fields = append(x.fields, field_{name, value})
			}
		}
	}
	// In an order that does not change from one answer to the next.
	slices.SortStableFunc(x.fields[before:], func(a, b field_) int {
		return strings.Compare(a.name, b.name)
	})
	w.putType(x, header, body, next)
}

// isSent says whether a field of the handler's goes out as it is.
func (w *response) isSent(name string) bool {
	switch name {
	case "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade":
		return false
	case "Content-Type":
		return w.status != http.StatusNotModified
	}
	return !strings.HasPrefix(name, http.TrailerPrefix) && isToken(name) && !w.isTrailer(name) &&
		!isReserved(name)
}

func (w *response) isTrailer(name string) bool {
	for _, trailer := range w.trailers {
		if trailer == name {
			return true
		}
	}
	return false
}

// putType tells the type of the content by its beginning, if nobody else has.
func (w *response) putType(x *exchange, header http.Header, body, next []byte) {
	if len(body) == 0 {
		body = next
	}
	if len(body) == 0 || x.contentType != "" || !mayHaveBody(w.status) {
		return
	}
	if _, set := header["Content-Type"]; set || header.Get("Content-Encoding") != "" ||
		header.Get("Transfer-Encoding") != "" {
		return
	}
	x.contentType = http.DetectContentType(body)
}

// clean makes of line ends what net/http makes of them, and takes the white
// space around off.
func clean(value string) string {
	if strings.ContainsAny(value, "\r\n") {
		value = newlines.Replace(value)
	}
	return strings.Trim(value, " \t")
}

var newlines = strings.NewReplacer("\n", " ", "\r", " ")
