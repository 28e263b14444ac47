// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"net/http"
	"unsafe"

	"libvolo/go/volo/internal/cvolo"
)

// Ctx is one exchange: the request, and the answer under construction.
//
// It belongs to the goroutine that runs the handler, and to others only as
// long as that one waits for them.  Strings and slices that it gives are the
// caller's to keep, except those of [Ctx.BodyView].
type Ctx struct {
	x *exchange // nil once the handler has returned
}

// What an exchange is answered with.
type answerKind uint8

const (
	answerNone   answerKind = iota // nothing has been said yet
	answerText                     // text
	answerBuffer                   // buffer
	answerBlock                    // block: large, in C memory already
	answerPassed                   // passed: what has come back to middleware
	answerFile                     // the file that text names
	answerStream                   // by writer: the head has left
	answerGone                     // answered by other means, or cut off
)

// exchange is what a Ctx stands for.  It is used again for the next one, by
// the same runner; a Ctx is not, so that who keeps one finds it expired.
type exchange struct {
	ctx *Ctx
	job cvolo.Job
	rt  *program

	route   *route
	reader  *bodyReader
	writer  *Writer
	context *requestContext

	status      int
	kind        answerKind
	contentType string
	fields      []field_
	text        string
	buffer      []byte
	block       cvolo.Block
	length      int64 // announced for a stream; -1 unknown
	encoder     jsonEncoder
	inline      bool // on a loop's thread: nothing may wait

	passage phase          // of middleware with a native layer inside
	held    unsafe.Pointer // the exchange that is kept, from when it went on
	passed  cvolo.Str      // the content that came back
	outer   *way           // of such middleware around it
}

// phase is where an exchange is that goes through middleware by way of C.
type phase uint8

const (
	noPassage phase = iota
	entering        // it has come in
	inside          // it has gone on
	leaving         // it has come back
)

// field_ is a field line of the answer.
type field_ struct {
	name, value string
}

// begin makes x the exchange of job, and gives what its handler gets.
func (x *exchange) begin(job *cvolo.Job) *Ctx {
	x.job = *job
	x.length = -1
	x.ctx = &Ctx{x}
	if job.Kind == cvolo.Enter {
		x.passage = entering
	}
	return x.ctx
}

// end takes all that belonged to one exchange from x.
func (x *exchange) end() {
	x.ctx.x = nil
	x.ctx = nil
	x.status = 0
	x.kind = answerNone
	x.contentType = ""
	clear(x.fields)
	x.fields = x.fields[:0]
	x.text = ""
	if cap(x.buffer) > 64<<10 {
		x.buffer = nil
	}
	x.reader, x.writer, x.context = nil, nil, nil
	if x.passage != noPassage {
		if x.held != nil {
			cvolo.Unkeep(x.held)
		}
		x.passage, x.held, x.passed, x.outer = noPassage, nil, cvolo.Str{}, nil
	}
}

// on gives the exchange of c while there is one.
func (c *Ctx) on() *exchange {
	if c.x == nil {
		expired()
	}
	return c.x
}

//go:noinline
func expired() {
	panic("volo: Ctx used after its handler has returned")
}

// refuse forgets what has been said, so that an error can be answered; the
// fields that middleware has set stay.
func (x *exchange) refuse() {
	x.dropBlock()
	x.status = 0
	x.kind = answerNone
	x.text = ""
	x.contentType = ""
}

// open says whether an answer can still be set.
func (x *exchange) open() error {
	if x.kind >= answerStream {
		return ErrAnswered
	}
	return nil
}

// Written says whether an answer has been set, or is under way already.
func (c *Ctx) Written() bool { return c.on().kind != answerNone }

// Streamed says whether the head of the answer has left, so that nothing about
// it can be changed.
func (c *Ctx) Streamed() bool { return c.on().kind >= answerStream }

// ResponseStatus is the status so far; 200 unless it was set.
func (c *Ctx) ResponseStatus() int {
	if x := c.on(); x.status != 0 {
		return x.status
	}
	return http.StatusOK
}
