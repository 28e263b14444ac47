// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"net/http"
	"reflect"
	"strings"
	"unsafe"
)

// fieldCookie is the number of Cookie in volo/field.h.
const fieldCookie = 18

// readFields reads the values that have a name.
func (p *plan) readFields(c *Ctx, body []byte, base unsafe.Pointer, bad *rejections) {
	x := c.on()
	form := ""
	if p.body == formBody && len(body) > 0 {
		if !isForm(x.header("content-type").View()) {
			bad.add(http.StatusUnsupportedMediaType, "content-type", "header",
				"must be application/x-www-form-urlencoded")
			return
		}
		form = unsafe.String(unsafe.SliceData(body), len(body))
	}
	for i := range p.fields {
		f := &p.fields[i]
		f.read(x, form, unsafe.Add(base, f.offset), bad)
	}
}

func isForm(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}

func (f *field) read(x *exchange, form string, to unsafe.Pointer, bad *rejections) {
	found := false
	switch f.source {
	case fromPath:
		if text := x.param(f.name); !text.Absent() {
			found = true
			f.put(to, text.View(), bad)
		}
	case fromQuery:
		found = f.readPairs(x.job.Query.View(), to, bad)
	case fromForm:
		found = f.readPairs(form, to, bad)
	case fromHeader:
		found = f.readHeader(x, to, bad)
	case fromCookie:
		found = f.readCookie(x, to, bad)
	}
	if !found {
		f.absent(to, bad)
	}
}

// put gives one text to the setter.
func (f *field) put(to unsafe.Pointer, text string, bad *rejections) {
	if status, why := f.set(to, text); status != 0 {
		bad.add(status, f.name, f.source.String(), why)
	}
}

// absent is what follows where there is no value.
func (f *field) absent(to unsafe.Pointer, bad *rejections) {
	switch {
	case f.source == fromPath && f.required: // nothing that a client could do better
		bad.add(http.StatusInternalServerError, f.name, "path", "is not in the pattern")
		return
	case f.required:
		bad.add(http.StatusBadRequest, f.name, f.source.String(), "is missing")
		return
	}
	for _, text := range f.fallback {
		f.set(to, text)
	}
}

// readPairs reads the first value of a query or a form, or all of them.
func (f *field) readPairs(rest string, to unsafe.Pointer, bad *rejections) (found bool) {
	for {
		name, value, after, more := nextPair(rest)
		if !more {
			return found
		}
		rest = after
		if !nameIs(name, f.name) {
			continue
		}
		found = true
		if text, ok := unescape(value); ok {
			f.put(to, text, bad)
		} else {
			bad.add(http.StatusBadRequest, f.name, f.source.String(), "has a broken escape")
		}
		if !f.list {
			return true
		}
	}
}

func (f *field) readHeader(x *exchange, to unsafe.Pointer, bad *rejections) (found bool) {
	headers := x.job.Headers()
	for i := range headers {
		if !isName(headers[i].Name.View(), f.name) {
			continue
		}
		found = true
		f.put(to, headers[i].Value.View(), bad)
		if !f.list {
			return true
		}
	}
	return found
}

func (f *field) readCookie(x *exchange, to unsafe.Pointer, bad *rejections) bool {
	headers := x.job.Headers()
	for i := range headers {
		if headers[i].ID != fieldCookie {
			continue
		}
		if value, ok := findCookie(headers[i].Value.View(), f.name); ok {
			f.put(to, value, bad)
			return true
		}
	}
	return false
}

// ---- The body as such ------------------------------------------------------

// wholeRaw copies the body into a string or a []byte.
func wholeRaw(t reflect.Type, offset uintptr) step {
	return func(_ *Ctx, body []byte, base unsafe.Pointer, _ *rejections) {
		to := unsafe.Add(base, offset)
		if t == stringType {
			*(*string)(to) = string(body)
		} else {
			*(*[]byte)(to) = append([]byte(nil), body...)
		}
	}
}

// wholeStream puts a reader of the body there.
func wholeStream(t reflect.Type, offset uintptr) step {
	return func(c *Ctx, _ []byte, base unsafe.Pointer, _ *rejections) {
		reader := reflect.ValueOf(c.BodyReader())
		reflect.NewAt(t, unsafe.Add(base, offset)).Elem().Set(reader)
	}
}

// isStreamed says whether the body has not been read yet.
func (x *exchange) isStreamed() bool { return x.job.Body.Absent() }

// streams says whether a handler reads the body as it comes.
func streams(h Handler) bool {
	typed, ok := h.(interface{ bodyKind() int })
	return ok && typed.bodyKind() == streamBody
}
