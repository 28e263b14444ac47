// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"errors"
	"net/http"
	"reflect"
	"unsafe"
)

// Extractor is what makes itself of a request.  A field of a typed handler's
// input is one if its pointer is; it needs no tag.
type Extractor interface {
	// Extract reads c, whose body is there unless the handler streams it.
	// Its error is the answer; an [Invalid] is gathered with what else is
	// wrong.
	Extract(c *Ctx) error
}

// Validator is an input, or a field of one, that knows what is acceptable.
type Validator interface {
	// Validate is called once the whole input is there.  An [Invalid], or
	// several of them joined, says which field; any other error is the
	// reason why the whole, or the field, is answered with 422.
	Validate() error
}

var validator = reflect.TypeFor[Validator]()

// A check calls the Validate method of a value at an offset of the input.
type check struct {
	offset  uintptr
	kind    reflect.Type // what has the method: a pointer to it, or itself
	pointer bool         // the value is a pointer, and may be nil
	at      Invalid
}

func (p *plan) addCheck(t reflect.Type, offset uintptr, at Invalid) {
	one := check{offset: offset, kind: t, at: at}
	if t.Kind() == reflect.Pointer {
		one.kind, one.pointer = t.Elem(), true
	}
	if reflect.PointerTo(one.kind).Implements(validator) {
		p.checks = append(p.checks, one)
	}
}

func (k *check) run(base unsafe.Pointer, bad *rejections) {
	at := unsafe.Add(base, k.offset)
	if k.pointer {
		if at = *(*unsafe.Pointer)(at); at == nil {
			return
		}
	}
	err := reflect.NewAt(k.kind, at).Interface().(Validator).Validate()
	if err != nil {
		k.refuse(err, bad)
	}
}

func (k *check) refuse(err error, bad *rejections) {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range list.Unwrap() {
			k.refuse(one, bad)
		}
		return
	}
	var invalid Invalid
	var answer *HTTPError
	switch {
	case errors.As(err, &invalid) || errors.As(err, &answer):
		bad.fail(err)
	case k.at.In != "":
		bad.add(http.StatusUnprocessableEntity, k.at.Field, k.at.In, err.Error())
	default:
		bad.detail = err.Error()
		bad.status = max(bad.status, http.StatusUnprocessableEntity)
	}
}
