// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"libvolo/go/volo/internal/cvolo"
)

// ErrorHandler answers for a handler that has returned an error or panicked.
type ErrorHandler func(c *Ctx, err error)

// PanicError is what an [ErrorHandler] gets for a handler that has panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error says what the value was.
func (e *PanicError) Error() string { return fmt.Sprintf("volo: handler panicked: %v", e.Value) }

// Unwrap gives the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// AnswerError is the [ErrorHandler] where none is set: an [HTTPError], or an
// error with a method StatusCode() int, is answered as it says; anything else
// is 500.  What is answered with 500 is logged, a panic with its stack.
func AnswerError(c *Ctx, err error) {
	x := c.on()
	answer := answerFor(err)
	if answer.StatusCode() == http.StatusInternalServerError && !x.isGone(err) {
		x.logError(err)
	}
	contentType, body := answer.render(x.header("accept").View())
	x.status = answer.StatusCode()
	x.contentType = contentType
	for name, values := range answer.Header {
		for _, value := range values {
			if c.AddHeader(name, value) != nil {
				x.rt.logger().Error("volo: an error's header cannot be sent", "name", name)
			}
		}
	}
	x.setBytes(body)
}

// answerFor finds what an error says about its answer.
func answerFor(err error) *HTTPError {
	var panicked *PanicError
	if errors.As(err, &panicked) {
		return &HTTPError{Status: http.StatusInternalServerError}
	}
	var answer *HTTPError
	if errors.As(err, &answer) {
		return answer
	}
	var invalid Invalid
	if errors.As(err, &invalid) {
		return &HTTPError{Status: invalid.StatusCode(), Errors: []Invalid{invalid}}
	}
	var coded interface{ StatusCode() int }
	if errors.As(err, &coded) {
		return &HTTPError{Status: coded.StatusCode()}
	}
	return &HTTPError{Status: http.StatusInternalServerError}
}

// isGone says whether it is no wonder that something failed: nobody waits.
func (x *exchange) isGone(err error) bool {
	return (errors.Is(err, context.Canceled) || errors.Is(err, ErrCanceled)) &&
		cvolo.IsCanceled(x.job.Cx)
}

func (x *exchange) logError(err error) {
	args := []any{"method", x.ctx.Method(), "path", x.ctx.FullPath(), "error", err}
	var panicked *PanicError
	if errors.As(err, &panicked) {
		args = append(args, "stack", string(panicked.Stack))
	}
	x.rt.logger().Error("volo: handler failed", args...)
}

// serve runs the handler of x and has an answer ready, whatever it does.
func (x *exchange) serve(c *Ctx) {
	err := x.call(c)
	if err != nil {
		x.fail(c, err)
	}
	if x.writer != nil || x.context != nil || x.reader != nil || x.kind == answerFile {
		x.settle(err == nil)
	}
}

// call runs the handler, and makes an error of a panic.
func (x *exchange) call(c *Ctx) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if value := recover(); value != nil {
			err = panicError(value)
			return
		}
		// runtime.Goexit, which ends the runner; see crew.leave.
		x.fail(c, errors.New("volo: handler called runtime.Goexit"))
		x.settle(false)
	}()
	err = x.route.run.ServeVolo(c)
	returned = true
	return err
}

// settle ends what the handler has begun.
func (x *exchange) settle(ok bool) {
	if x.writer != nil {
		x.writer.finish(ok)
	}
	if x.kind == answerFile {
		x.sendFile()
	}
	if x.context != nil {
		x.context.end()
	}
	if x.reader != nil {
		x.reader.Close()
	}
}

func panicError(value any) error {
	if err, ok := value.(error); ok &&
		(errors.Is(err, ErrAbort) || errors.Is(err, http.ErrAbortHandler)) {
		return ErrAbort
	}
	return &PanicError{value, debug.Stack()}
}

// fail answers an error, unless the head has left: then the answer is cut off.
func (x *exchange) fail(c *Ctx, err error) {
	switch {
	case errors.Is(err, ErrAbort) || errors.Is(err, http.ErrAbortHandler):
		x.abort()
	case x.kind >= answerStream:
		if !x.isGone(err) {
			x.logError(err)
		}
	case x.isAnswered(err):
		x.tellAround(err)
	default:
		x.refuse()
		x.answerError(c, err)
		x.tellAround(err)
	}
}

// answerError calls the error handler, which may fail itself.
func (x *exchange) answerError(c *Ctx, err error) {
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		x.logError(panicError(value))
		if x.kind < answerStream {
			x.refuse()
			AnswerError(c, Error(http.StatusInternalServerError, ""))
		}
	}()
	x.rt.onError(c, err)
}

// ---- On the way to C -----------------------------------------------------------

// abort cuts the exchange off.
func (x *exchange) abort() {
	if x.kind >= answerStream { // its writer does that
		if x.writer != nil {
			x.writer.Abort()
		}
		return
	}
	x.refuse()
	x.writer = nil
	if x.passage == leaving { // it is answered: what came is not to be seen
		x.status = http.StatusInternalServerError
		return
	}
	cvolo.Abort(x.job.Cx)
	x.kind = answerGone
}

func (x *exchange) sendFile() {
	x.withHead(func(answer *cvolo.Answer) int {
		cvolo.File(answer, x.text, x.contentType)
		return 0
	})
	x.kind = answerGone
}

// size is how many octets of a batch, at most, the head of x takes.
func (x *exchange) size() int {
	n := len(x.contentType) + len("content-type") + 1
	for i := range x.fields {
		n += len(x.fields[i].name) + 1 + len(x.fields[i].value)
	}
	return n
}

const contentTypeID = 17 // VOLO_FIELD_CONTENT_TYPE

// head writes status and fields to an answer in b, where there is room.
func (x *exchange) head(b *cvolo.Batch, answer *cvolo.Answer) {
	answer.Cx = x.job.Cx
	answer.Status = int32(x.status)
	if x.contentType != "" {
		pair := b.AddPair(answer)
		*pair = cvolo.Pair{Value: b.Put(x.contentType), ID: contentTypeID}
	}
	for i := range x.fields {
		f := &x.fields[i]
		pair := b.AddPair(answer)
		*pair = cvolo.Pair{Name: b.PutName(f.name), Value: b.Put(f.value)}
	}
}

// withHead has do answer with a head of its own.
func (x *exchange) withHead(do func(*cvolo.Answer) int) int {
	b := x.rt.scratch()
	defer x.rt.putScratch(b)
	if b == nil || !b.Has(len(x.fields)+1, x.size()) {
		return int(ErrNoMemory)
	}
	answer := b.Next()
	x.head(b, answer)
	return do(answer)
}

// put writes the answer of x to b; false if there is no room.  Then b is not
// empty.
func (x *exchange) put(b *cvolo.Batch) bool {
	if x.kind == answerGone {
		return true
	}
	size, body := 0, ""
	if x.kind != answerStream {
		size = x.size()
		if x.kind != answerBlock && x.kind != answerPassed {
			body = x.content()
		}
	}
	if !b.Has(len(x.fields)+1, size+len(body)) {
		if b.Count > 0 {
			return false
		}
		x.tooLarge()
		return x.put(b)
	}
	answer := b.Next()
	if x.kind == answerStream {
		answer.Cx = x.job.Cx // answered: it is only given back
		return true
	}
	x.head(b, answer)
	switch {
	case x.kind == answerBlock:
		x.block.Into(answer)
	case body != "" || x.passage == leaving && x.kind != answerPassed:
		answer.Body = b.Put(body)
	}
	if x.passage == leaving {
		x.change(b, answer)
	}
	return true
}

// tooLarge answers for a head that is larger than any client would take.
func (x *exchange) tooLarge() {
	x.refuse()
	clear(x.fields)
	x.fields = x.fields[:0]
	x.logError(errors.New("volo: the answer's header fields are too large"))
	x.status = http.StatusInternalServerError
	x.contentType = "text/plain; charset=utf-8"
	x.text, x.kind = "Internal Server Error\n", answerText
}
