// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync"
	"unsafe"
)

// Responder is a result that answers by itself.
type Responder interface {
	// Respond answers c, or gives the error that is the answer.
	Respond(c *Ctx) error
}

// Response is a result with a status and header fields of its own.
type Response[T any] struct {
	// Status is that of the answer; 0 means what Body would have alone.
	Status int
	// Header is added to the answer.
	Header http.Header
	// Body is answered as a result of its type is.
	Body T
}

// Respond answers with Body, Status and Header.
func (r Response[T]) Respond(c *Ctx) error {
	reply, err := replierFor(reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	if err := addHeader(c, r.Header); err != nil {
		return err
	}
	if r.Status != 0 {
		c.Status(r.Status)
	}
	if err := reply(c, unsafe.Pointer(&r.Body)); err != nil || r.Status == 0 || c.Streamed() {
		return err
	}
	c.Status(r.Status) // also where the body has one of its own
	return nil
}

// Redirection is a result that sends the client elsewhere.
type Redirection struct {
	// Status is 301, 302, 303, 307 or 308; 0 means 303, which suits a form.
	Status int
	// Location is a URI reference.
	Location string
}

// Respond answers with the status and the Location field.
func (r Redirection) Respond(c *Ctx) error {
	if r.Status == 0 {
		r.Status = http.StatusSeeOther
	}
	return c.Redirect(r.Status, r.Location)
}

// addHeader adds fields to an answer.
func addHeader(c *Ctx, header http.Header) error {
	for name, values := range header {
		for _, value := range values {
			if err := c.AddHeader(name, value); err != nil {
				return fmt.Errorf("volo: field %q: %w", name, err)
			}
		}
	}
	return nil
}

// A replier answers with the result at p.
type replier func(c *Ctx, p unsafe.Pointer) error

var (
	responder = reflect.TypeFor[Responder]()
	statusOf  = reflect.TypeFor[interface{ StatusCode() int }]()
	marshaler = reflect.TypeFor[json.Marshaler]()
	anyReader = reflect.TypeFor[io.Reader]()
)

// repliers remembers them by type, for results whose type is known late.
var repliers sync.Map

// replierFor works out how results of a type are answered.
func replierFor(t reflect.Type) (replier, error) {
	if known, ok := repliers.Load(t); ok {
		return known.(replier), nil
	}
	reply, err := makeReplier(t)
	if err == nil {
		repliers.Store(t, reply)
	}
	return reply, err
}

func makeReplier(t reflect.Type) (replier, error) {
	if reply := sequences[t]; reply != nil {
		return reply, nil
	}
	switch {
	case t.Kind() == reflect.Interface:
		return replyDynamic(t), nil
	case t.Implements(responder):
		return replyOwn(t), nil
	case t.Implements(anyReader):
		return replyReader(t), nil
	case t == stringType:
		return replyString, nil
	case t == bytesType:
		return replyBytes, nil
	case t.Kind() == reflect.Struct && t.NumField() == 0 && !t.Implements(marshaler):
		return replyNothing, nil
	}
	if bad := unanswerable(t); bad != nil {
		return nil, refusal("", "a result with a %s cannot become JSON", bad)
	}
	return replyJSON(t), nil
}

func replyNothing(c *Ctx, _ unsafe.Pointer) error {
	return c.NoContent()
}

func replyString(c *Ctx, p unsafe.Pointer) error {
	return c.Text(*(*string)(p))
}

func replyBytes(c *Ctx, p unsafe.Pointer) error {
	body := *(*[]byte)(p)
	if body == nil {
		return replyNothing(c, p)
	}
	return c.Bytes("", body)
}

// replyDynamic looks at what is inside the interface.
func replyDynamic(t reflect.Type) replier {
	return func(c *Ctx, p unsafe.Pointer) error {
		value := reflect.NewAt(t, p).Elem()
		if value.IsNil() {
			return replyNothing(c, p)
		}
		inner := value.Elem()
		reply, err := replierFor(inner.Type())
		if err != nil {
			return err
		}
		to := reflect.New(inner.Type())
		to.Elem().Set(inner)
		return reply(c, to.UnsafePointer())
	}
}

// isNil says whether the value at p of a type is a nil that means nothing.
func isNil(t reflect.Type, p unsafe.Pointer) bool {
	return t.Kind() == reflect.Pointer && *(*unsafe.Pointer)(p) == nil
}

func replyOwn(t reflect.Type) replier {
	return func(c *Ctx, p unsafe.Pointer) error {
		if isNil(t, p) {
			return replyNothing(c, p)
		}
		return reflect.NewAt(t, p).Elem().Interface().(Responder).Respond(c)
	}
}

func replyReader(t reflect.Type) replier {
	return func(c *Ctx, p unsafe.Pointer) error {
		if isNil(t, p) {
			return replyNothing(c, p)
		}
		r := reflect.NewAt(t, p).Elem().Interface().(io.Reader)
		if t.Implements(statusOf) {
			c.Status(r.(interface{ StatusCode() int }).StatusCode())
		}
		if closer, ok := r.(io.Closer); ok {
			defer closer.Close()
		}
		return c.Stream("", r)
	}
}

func replyJSON(t reflect.Type) replier {
	hasStatus := t.Implements(statusOf)
	byPointer := t.Kind() != reflect.Pointer
	return func(c *Ctx, p unsafe.Pointer) error {
		if isNil(t, p) {
			return replyNothing(c, p)
		}
		at := reflect.NewAt(t, p)
		if hasStatus {
			c.Status(at.Elem().Interface().(interface{ StatusCode() int }).StatusCode())
		}
		if byPointer { // without a copy of the value
			return c.JSON(at.Interface())
		}
		return c.JSON(at.Elem().Interface())
	}
}

// StatusOnly is a result that is a status and nothing else: its reason as
// text, or no content where the status has none; from 400 on, an error.
type StatusOnly int

// Respond answers with the status.
func (s StatusOnly) Respond(c *Ctx) error {
	switch {
	case s >= 400:
		return Error(int(s), "").Respond(c)
	case !mayHaveBody(int(s)):
		c.Status(int(s))
		return c.NoContent()
	}
	c.Status(int(s))
	return c.Text(reason(int(s)))
}
