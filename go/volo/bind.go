// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"runtime"
	"sync"
	"unsafe"
)

// Handle makes a [Handler] of a function with a typed input and a typed
// result.  It panics if something of them cannot be extracted or answered, as
// http.Handle does for a bad pattern; [TypedHandler] returns the error.
//
// # Input
//
// In is a struct whose fields say by a tag where they come from:
//
//	type Search struct {
//		ID      int64         `path:"id"`
//		Tags    []string      `query:"tag"`               // repeated keys
//		Limit   uint          `query:"limit" default:"10"`
//		Since   *time.Time    `query:"since"`             // nil if absent
//		Agent   string        `header:"User-Agent" required:"false"`
//		Session string        `cookie:"session"`
//		Title   string        `json:"title"`              // of the body
//		Wait    time.Duration `form:"wait"`               // of a form
//	}
//
// A value must be there unless it is a pointer, a slice, a map or an
// interface, has a default, is tagged required:"false", or, in JSON,
// omitempty or omitzero.  A pointer or slice that is tagged required:"true"
// must be there too.  (That goes for the members of a document, not for what
// is inside them.)  Text becomes strings, booleans, numbers, durations,
// times and whatever implements [encoding.TextUnmarshaler].
//
// A field tagged body:"" is the whole body: a []byte or a string has its
// octets, an [io.Reader] reads it as it comes, anything else is decoded from
// JSON.  A field of type *[Ctx], and one whose pointer implements [Extractor],
// needs no tag.  A struct in which no field has a tag of ours is the JSON
// document itself; so are maps and the like in place of a struct.
//
// What does not fit is answered before fn is called: 400 for what is missing
// or malformed, 415 for another media type, 422 for what is well-formed but
// not acceptable, a document that lacks a member included; the answer says which field, where it stands, and why.  So
// is what a method Validate() error of the input or of a field refuses.
//
// # Result
//
// A string is answered as text, a []byte as octets, an [io.Reader] as a stream
// of them, an [iter.Seq] of strings or octets, or an [iter.Seq2] with errors,
// piece by piece; a [Responder] and a [Response] answer as they like; struct{} and
// nil are 204; anything else is JSON.  A method StatusCode() int of the result
// gives the status.  For errors, see [HTTPError].
func Handle[In, Out any](fn func(ctx context.Context, in In) (Out, error)) Handler {
	h, err := TypedHandler(fn)
	if err != nil {
		panic(err)
	}
	return h
}

// TypedHandler is [Handle] with an error, a *[BindError], in place of a panic.
func TypedHandler[In, Out any](fn func(ctx context.Context, in In) (Out, error)) (Handler, error) {
	t := reflect.TypeFor[In]()
	plan, err := planOf(t)
	var reply replier
	if err == nil {
		reply, err = replierFor(reflect.TypeFor[Out]())
	}
	if err != nil {
		var bad *BindError
		if errors.As(err, &bad) {
			bad.Handler = runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
		}
		return nil, err
	}
	return &typed[In, Out]{fn: fn, plan: plan, reply: reply}, nil
}

// planOf makes the plan of an input, through the pointer if it is one.
func planOf(t reflect.Type) (*plan, error) {
	if t.Kind() == reflect.Pointer && t != ctxType && t.Elem().Kind() == reflect.Struct {
		p, err := compile(t.Elem())
		if err == nil {
			p = p.through(t.Elem())
		}
		return p, err
	}
	return compile(t)
}

// through makes a plan whose base is a pointer to what p fills.
func (p *plan) through(elem reflect.Type) *plan {
	return &plan{body: p.body, fields: p.fields, steps: []step{
		func(c *Ctx, _ []byte, base unsafe.Pointer, bad *rejections) {
			to := reflect.New(elem).UnsafePointer()
			*(*unsafe.Pointer)(base) = to
			p.run(c, to, bad)
		},
	}, indirect: true}
}

type typed[In, Out any] struct {
	fn     func(context.Context, In) (Out, error)
	plan   *plan
	reply  replier
	frames sync.Pool // of *frame[In, Out]
}

// A frame is where a plan and a replier work: on memory that is used again.
// What the function gets, and what it gives, is a copy.
type frame[In, Out any] struct {
	in  In
	out Out
	bad rejections
}

// ServeVolo reads the input, calls the function and answers with its result.
func (h *typed[In, Out]) ServeVolo(c *Ctx) error {
	f, _ := h.frames.Get().(*frame[In, Out])
	if f == nil {
		f = new(frame[In, Out])
	}
	h.plan.run(c, unsafe.Pointer(&f.in), &f.bad)
	err := f.bad.error()
	if err == nil {
		f.out, err = h.fn(c.Context(), f.in)
	}
	if err == nil {
		err = h.reply(c, unsafe.Pointer(&f.out))
	}
	*f = frame[In, Out]{}
	h.frames.Put(f)
	return err
}

// bodyKind says what the handler does with the body.
func (h *typed[In, Out]) bodyKind() int { return h.plan.body }

// checkParams is asked when the handler is registered: a parameter that is not
// in the pattern could never be there.
func (h *typed[In, Out]) checkParams(pattern string, params map[string]bool) error {
	for i := range h.plan.fields {
		f := &h.plan.fields[i]
		if f.source == fromPath && f.required && !params[f.name] {
			return &BindError{
				Handler: runtime.FuncForPC(reflect.ValueOf(h.fn).Pointer()).Name(),
				Field:   f.name,
				Reason: "the pattern " + pattern + " has no such parameter (a router that" +
					" is to be nested below one that has it is nested first)",
			}
		}
	}
	return nil
}

// ---- What goes wrong -------------------------------------------------------

// rejections gathers all that is wrong with a request.
type rejections struct {
	status int
	errors []Invalid
	detail string // what is wrong with the whole
	err    error  // of an extractor: it is the answer
}

// add notes one.  A status other than 400 and 422 says most, 422 least.
func (r *rejections) add(status int, field, in, reason string) {
	if weight(status) > weight(r.status) {
		r.status = status
	}
	r.errors = append(r.errors, Invalid{field, in, reason})
}

func weight(status int) int {
	switch status {
	case 0:
		return 0
	case http.StatusUnprocessableEntity:
		return 1
	case http.StatusBadRequest:
		return 2
	}
	return 3
}

// fail notes the error of an extractor.
func (r *rejections) fail(err error) {
	var one Invalid
	var all *HTTPError
	switch {
	case errors.As(err, &one):
		r.add(http.StatusUnprocessableEntity, one.Field, one.In, one.Reason)
	case errors.As(err, &all) && len(all.Errors) > 0:
		for _, one := range all.Errors {
			r.add(all.StatusCode(), one.Field, one.In, one.Reason)
		}
	case r.err == nil:
		r.err = err
	}
}

func (r *rejections) error() error {
	switch {
	case r.err != nil:
		return r.err
	case r.status == 0:
		return nil
	}
	return &HTTPError{Status: r.status, Detail: r.detail, Errors: r.errors}
}

// ---- Running a plan --------------------------------------------------------

// run makes the input at base of a request, or notes in bad why not.
func (p *plan) run(c *Ctx, base unsafe.Pointer, bad *rejections) {
	var body []byte
	if p.body != noBody && p.body != streamBody && !p.indirect {
		var err error
		if body, err = lentBody(c); err != nil {
			bad.err = err
			return
		}
	}
	for _, do := range p.bodies {
		do(c, body, base, bad)
	}
	if !p.indirect {
		p.readFields(c, body, base, bad)
	}
	for _, do := range p.steps {
		do(c, body, base, bad)
	}
	if bad.status == 0 && bad.err == nil {
		for i := range p.checks {
			p.checks[i].run(base, bad)
		}
	}
}

// lentBody gives the whole body, without a copy where it is there already.
func lentBody(c *Ctx) ([]byte, error) {
	if c.on().isStreamed() {
		return c.Body()
	}
	return c.BodyView(), nil
}
