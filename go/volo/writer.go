// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"context"
	"io"
	"strings"

	"libvolo/go/volo/internal/cvolo"
)

// What a Writer gathers before it goes to C, and at most gives it at once.
const (
	writerBuffer = 4 << 10
	writerPiece  = 32 << 10
)

// Writer streams an answer.  The head leaves with the first octets, when the
// buffer is full or Flush is called; from then on nothing about it can be
// changed.  If the handler returns before that, the answer is sent whole.
//
// When much is waiting to be sent already, Write waits until the client has
// taken some of it.  Good until the handler returns.
type Writer struct {
	x      *exchange // nil once the handler has returned
	c      cvolo.Writer
	open   bool // the head has left
	id     uint64
	told   chan struct{}
	buffer []byte

	context *requestContext // told if the client leaves after the head has left
	err     error
	after   []field_ // trailers
}

// Writer makes the answer a stream, of the status and with the fields that are
// set by then or until the head leaves, and with the length that
// [Ctx.SetLength] gave.
func (c *Ctx) Writer() *Writer {
	x := c.on()
	if x.writer == nil {
		x.writer = &Writer{x: x}
		if x.kind >= answerStream {
			x.writer.err = ErrAnswered
		}
	}
	return x.writer
}

// SetLength announces the length of the content that a [Writer] will write;
// -1 takes that back.  A handler that writes less cuts its answer off, and
// more is refused with ErrTooBig.
func (c *Ctx) SetLength(n int64) {
	if n < -1 {
		panic("volo: negative length")
	}
	c.on().length = n
}

// Write adds p to the content.  Errors: ErrCanceled (the client is gone),
// ErrTooBig (beyond the announced length), ErrNoMemory, ErrAnswered, ErrClosed
// (the handler has returned).
func (w *Writer) Write(p []byte) (int, error) {
	if w.x == nil {
		return 0, ErrClosed
	}
	if w.err != nil {
		return 0, w.err
	}
	if len(w.buffer)+len(p) <= writerBuffer {
		w.buffer = append(w.buffer, p...)
		return len(p), nil
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	if len(p) < writerBuffer {
		w.buffer = append(w.buffer, p...)
		return len(p), nil
	}
	return w.send(p)
}

// WriteString is Write of a string.
func (w *Writer) WriteString(s string) (int, error) {
	if w.x != nil && w.err == nil && len(w.buffer)+len(s) <= writerBuffer {
		w.buffer = append(w.buffer, s...)
		return len(s), nil
	}
	return w.Write([]byte(s))
}

// ReadFrom writes what r gives until [io.EOF], each piece as it comes.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) {
	if w.x == nil {
		return 0, ErrClosed
	}
	var total int64
	block := make([]byte, writerPiece)
	for {
		n, err := r.Read(block)
		if n > 0 {
			total += int64(n)
			if _, bad := w.Write(block[:n]); bad != nil {
				return total, bad
			}
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		if n < len(block) { // there may be no more for a while
			if bad := w.Flush(); bad != nil {
				return total, bad
			}
		}
	}
}

// Flush sends what was written so far, the head too.
func (w *Writer) Flush() error {
	if w.x == nil {
		return ErrClosed
	}
	if w.err == nil && !w.open {
		w.begin()
	}
	if w.err == nil && len(w.buffer) > 0 {
		_, w.err = w.send(w.buffer)
		w.buffer = w.buffer[:0]
	}
	return w.err
}

// Trailer adds a field behind the content; sent where the answer is chunked.
// Errors: ErrInvalid.
func (w *Writer) Trailer(name, value string) error {
	if w.x == nil {
		return ErrClosed
	}
	if !isToken(name) || !isFieldValue(value) || strings.IndexByte(value, 0) >= 0 {
		return ErrInvalid
	}
	w.after = append(w.after, field_{name, value})
	return nil
}

// Abort cuts the answer off, in a way that the client can tell.
func (w *Writer) Abort() {
	if w.x == nil || (w.err != nil && !w.open) {
		return
	}
	w.err = ErrAbort
}

// begin sends the head.
func (w *Writer) begin() {
	x := w.x
	if w.err = x.open(); w.err != nil {
		return
	}
	if x.inline {
		w.err = ErrThread
		return
	}
	if x.passage == leaving {
		w.err = ErrAnswered
		return
	}
	x.refuseContent()
	w.told = make(chan struct{}, 1)
	w.context = x.ownContext()
	w.id = x.rt.hub.add(w)
	err := x.withHead(func(answer *cvolo.Answer) int {
		var err int
		w.c, err = cvolo.Stream(answer, x.length, x.rt.hub.c, w.id)
		return err
	})
	if err < 0 {
		x.rt.hub.remove(w.id)
		w.err = Code(err)
		if w.err == ErrCanceled || w.err == ErrAnswered {
			x.kind = answerStream
		}
		return
	}
	w.open, x.kind = true, answerStream
}

// send gives p to C, waiting where there is no room.
func (w *Writer) send(p []byte) (int, error) {
	sent := 0
	for len(p) > 0 {
		n := min(len(p), writerPiece)
		err := Code(w.c.Write(p[:n]))
		switch {
		case err == 0:
			sent += n
			p = p[n:]
		case err == ErrAgain:
			<-w.told
		default:
			w.err = err
			return sent, err
		}
	}
	return sent, nil
}

func (w *Writer) news(events uint64) {
	if events&cvolo.Gone != 0 {
		w.context.cancel(context.Canceled)
	}
	select {
	case w.told <- struct{}{}:
	default:
	}
}

// finish is when the handler has returned, without an error if ok.  What is
// short enough then is answered from memory.
func (w *Writer) finish(ok bool) {
	x := w.x
	ok = ok && w.err == nil
	switch {
	case ok && !w.open && x.kind != answerNone && x.kind < answerStream && len(w.buffer) == 0:
		// answered otherwise
	case ok && !w.open && (x.kind == answerNone || x.kind == answerPassed) && len(w.after) == 0 && x.fits(w.buffer):
		x.setBytes(w.buffer)
	case ok && x.kind < answerStream || w.open:
		w.end(ok)
	case w.err == ErrAbort:
		w.x = nil
		x.abort()
	}
	w.x = nil
}

// end is the end of an answer that has left in part, or must be streamed.
func (w *Writer) end(ok bool) {
	if ok && w.Flush() == nil {
		for _, f := range w.after {
			w.c.Trailer(f.name, f.value)
		}
		w.c.End()
	}
	if w.open {
		w.x.rt.hub.remove(w.id)
		w.c.Free()
	}
}

// fits says whether content is of the length that was announced, if any was.
func (x *exchange) fits(content []byte) bool {
	return x.length < 0 || x.length == int64(len(content))
}

// refuseContent forgets content that was set.
func (x *exchange) refuseContent() {
	x.dropBlock()
	x.kind = answerNone
	x.text = ""
}
