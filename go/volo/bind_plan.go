// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"unsafe"
)

// A source is where a value comes from.
type source int

const (
	fromPath source = iota
	fromQuery
	fromHeader
	fromCookie
	fromForm
	fromBody // and what has no name
)

// sourceNames are the keys of struct tags, and what rejections call them.
var sourceNames = [...]string{"path", "query", "header", "cookie", "form", "body"}

func (s source) String() string { return sourceNames[s] }

// A field is one value that is read from a request, and where it goes.
type field struct {
	source   source
	name     string
	offset   uintptr
	set      setter // of one text; for a list, what adds one more
	list     bool
	required bool
	fallback []string // texts of the default
}

// What a plan does with the body.
const (
	noBody = iota
	formBody
	jsonBody
	rawBody
	streamBody
)

var bodyNames = [...]string{"nothing", "a form", "JSON", "octets", "a stream"}

// A plan is how an input is made of a request, worked out once.
type plan struct {
	fields []field
	body   int // what it is read as
	bodies []step
	steps  []step
	json   *jsonPlan
	checks []check
	// the one step goes through a pointer to where the values go
	indirect bool
}

// A step puts something into the input at base, or notes in bad why not.  body
// is there if the plan reads it, and lent.
type step func(c *Ctx, body []byte, base unsafe.Pointer, bad *rejections)

// BindError says what in the input or output of a typed handler cannot be
// extracted or answered.
type BindError struct {
	// Handler is the name of the function.
	Handler string
	// Field is the field of its input; empty if it is the type as such.
	Field string
	// Reason is why.
	Reason string
}

// Error says which handler, which field, and why.
func (e *BindError) Error() string {
	if e.Field == "" {
		return "volo: handler " + e.Handler + ": " + e.Reason
	}
	return "volo: handler " + e.Handler + ": field " + e.Field + ": " + e.Reason
}

// refusal is a BindError on its way to who knows the handler's name.
func refusal(field, format string, args ...any) error {
	return &BindError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

var (
	ctxType    = reflect.TypeFor[*Ctx]()
	readerType = reflect.TypeFor[io.Reader]()
	closerType = reflect.TypeFor[io.ReadCloser]()
	bytesType  = reflect.TypeFor[[]byte]()
	stringType = reflect.TypeFor[string]()
	extractor  = reflect.TypeFor[Extractor]()
)

// compile makes the plan of an input type, which is what base will point to.
func compile(t reflect.Type) (*plan, error) {
	p := &plan{}
	var err error
	switch {
	case t.Kind() == reflect.Struct && !isWhole(t):
		err = p.compileStruct(t)
	case t == ctxType || reflect.PointerTo(t).Implements(extractor):
		err = p.addSpecial(t, 0)
	default:
		err = p.addWhole("", t, 0, "", true)
	}
	if err != nil {
		return nil, err
	}
	p.addCheck(t, 0, Invalid{})
	return p, nil
}

// isWhole says whether a struct is no set of fields but one value.
func isWhole(t reflect.Type) bool {
	pointer := reflect.PointerTo(t)
	return pointer.Implements(extractor) || pointer.Implements(unmarshaler)
}

// compileStruct reads the fields of the input itself.  Without a tag that
// names a source, it is a JSON document as such.
func (p *plan) compileStruct(t reflect.Type) error {
	mixed := hasSources(t)
	if err := p.addFields(t, 0, mixed); err != nil {
		return err
	}
	if p.json == nil {
		return nil
	}
	if mixed {
		p.json.shadow = shadowOf(t)
	} else {
		p.json.shadow = t
	}
	return nil
}

// hasSources says whether a field of t says that it is not from JSON.
func hasSources(t reflect.Type) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		if _, _, ok := tagOf(f); ok || isSpecial(f.Type) {
			return true
		}
		if f.Anonymous && f.Type.Kind() == reflect.Struct && hasSources(f.Type) {
			return true
		}
	}
	return false
}

// isSpecial says whether the type alone tells what to put there.
func isSpecial(t reflect.Type) bool {
	return t == ctxType || reflect.PointerTo(t).Implements(extractor)
}

// tagOf finds the tag of a field that names its source.
func tagOf(f reflect.StructField) (source, string, bool) {
	for i, key := range sourceNames {
		if value, ok := f.Tag.Lookup(key); ok {
			return source(i), value, true
		}
	}
	return 0, "", false
}

func (p *plan) addFields(t reflect.Type, base uintptr, mixed bool) error {
	for i := range t.NumField() {
		f := t.Field(i)
		if err := p.addField(f, base+f.Offset, mixed); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) addField(f reflect.StructField, offset uintptr, mixed bool) error {
	from, value, ok := tagOf(f)
	switch {
	case !f.IsExported() && !f.Anonymous:
		if ok {
			return refusal(f.Name, "has a tag but is not exported")
		}
		return nil
	case ok:
		return p.addTagged(f, offset, from, value)
	case isSpecial(f.Type):
		return p.addSpecial(f.Type, offset)
	case f.Anonymous && f.Tag.Get("json") == "":
		return p.addEmbedded(f, offset, mixed)
	case f.Tag.Get("json") == "-":
		return nil
	case mixed && f.Tag.Get("json") == "":
		return refusal(f.Name, "no tag says where it comes from: give it one "+
			"of path, query, header, cookie, form, json, body, or json:\"-\"")
	}
	return p.addMember(f, offset)
}

func (p *plan) addEmbedded(f reflect.StructField, offset uintptr, mixed bool) error {
	if f.Type.Kind() != reflect.Struct {
		return refusal(f.Name, "an embedded %s is not supported: embed the "+
			"struct itself", f.Type)
	}
	return p.addFields(f.Type, offset, mixed)
}

// addSpecial adds what is known by its type.
func (p *plan) addSpecial(t reflect.Type, offset uintptr) error {
	if t == ctxType {
		p.steps = append(p.steps, func(c *Ctx, _ []byte, base unsafe.Pointer, _ *rejections) {
			*(**Ctx)(unsafe.Add(base, offset)) = c
		})
		return nil
	}
	p.steps = append(p.steps, func(c *Ctx, _ []byte, base unsafe.Pointer, bad *rejections) {
		at := reflect.NewAt(t, unsafe.Add(base, offset))
		if err := at.Interface().(Extractor).Extract(c); err != nil {
			bad.fail(err)
		}
	})
	return nil
}

func (p *plan) addTagged(f reflect.StructField, offset uintptr, from source, name string) error {
	for i, key := range sourceNames {
		if _, ok := f.Tag.Lookup(key); ok && source(i) != from {
			return refusal(f.Name, "has the tags %s and %s: one value has one source", from, key)
		}
	}
	if from == fromBody {
		return p.addWhole(f.Name, f.Type, offset, name, f.Tag.Get("required") != "false")
	}
	if name == "" || strings.ContainsAny(name, ", \"") {
		return refusal(f.Name, "the tag %s:%q is no name", from, name)
	}
	one := field{source: from, name: name, offset: offset}
	if err := one.compile(f); err != nil {
		return err
	}
	if from == fromForm {
		if err := p.claim(f.Name, formBody); err != nil {
			return err
		}
	}
	p.fields = append(p.fields, one)
	p.addCheck(f.Type, offset, Invalid{Field: name, In: from.String()})
	return nil
}

// compile finds out how text becomes the field's type, and what follows when
// there is none.
func (f *field) compile(s reflect.StructField) error {
	f.set = setterFor(s.Type)
	if f.set == nil {
		f.set = appenderFor(s.Type)
		f.list = true
	}
	if f.set == nil {
		return refusal(s.Name, "a %s cannot be read from text: implement "+
			"encoding.TextUnmarshaler or volo.Extractor", s.Type)
	}
	if f.list && (f.source == fromPath || f.source == fromCookie) {
		return refusal(s.Name, "a %s has one value, not a list", f.source)
	}
	var err error
	f.required, f.fallback, err = presenceOf(s)
	if err != nil || f.fallback == nil {
		return err
	}
	if !f.list {
		f.fallback = []string{s.Tag.Get("default")}
	}
	return f.tryDefault(s)
}

// tryDefault sees to it that a default is one.
func (f *field) tryDefault(s reflect.StructField) error {
	scratch := reflect.New(s.Type).UnsafePointer()
	for _, text := range f.fallback {
		if status, why := f.set(scratch, text); status != 0 {
			return refusal(s.Name, "the default %q %s", text, why)
		}
	}
	return nil
}

// presenceOf says whether a field must be there, and what it is if it is not.
func presenceOf(s reflect.StructField) (required bool, fallback []string, err error) {
	text, ok := s.Tag.Lookup("default")
	if ok {
		fallback = strings.Split(text, ",")
	}
	switch s.Type.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
	default:
		required = !ok
	}
	switch s.Tag.Get("required") {
	case "":
	case "true":
		if ok {
			return false, nil, refusal(s.Name, "what has a default is not required")
		}
		required = true
	case "false":
		required = false
	default:
		return false, nil, refusal(s.Name, "the tag required is true or false")
	}
	return required, fallback, nil
}

// claim notes what the body is read as: only one thing.
func (p *plan) claim(name string, body int) error {
	if p.body != noBody && p.body != body {
		return refusal(name, "reads the body as %s, and another field as %s",
			bodyNames[body], bodyNames[p.body])
	}
	p.body = body
	return nil
}
