// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"unsafe"
)

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// A jsonPlan reads the body as JSON into a value at an offset of the input.
type jsonPlan struct {
	// shadow has the layout of the value's type, but hides from the decoder
	// what comes from elsewhere: nobody sets a path parameter by JSON.
	shadow   reflect.Type
	offset   uintptr
	required []string
	presets  []preset
	whole    bool // required as such
}

// A preset is a default, put there before the document is read.
type preset struct {
	offset uintptr
	set    setter
	text   string
}

// addMember adds a field of the input that is a member of the document.
func (p *plan) addMember(f reflect.StructField, offset uintptr) error {
	if err := p.claim(f.Name, jsonBody); err != nil {
		return err
	}
	if p.json == nil {
		p.json = &jsonPlan{}
		p.bodies = append(p.bodies, p.json.read)
	}
	if err := p.json.addMember(f, offset); err != nil {
		return err
	}
	at := Invalid{Field: memberName(f), In: "body"}
	p.addCheck(f.Type, offset, at)
	return nil
}

func (j *jsonPlan) addMember(f reflect.StructField, offset uintptr) error {
	if bad := unfit(f.Type); bad != nil {
		return refusal(f.Name, "a %s cannot be read from JSON", bad)
	}
	required, fallback, err := presenceOf(f)
	if err != nil {
		return err
	}
	if fallback != nil {
		return j.addPreset(f, offset)
	}
	_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	for option := range strings.SplitSeq(options, ",") {
		if (option == "omitempty" || option == "omitzero") &&
			f.Tag.Get("required") != "true" {
			required = false
		}
	}
	if required {
		j.required = append(j.required, memberName(f))
	}
	return nil
}

func (j *jsonPlan) addPreset(f reflect.StructField, offset uintptr) error {
	one := field{set: setterFor(f.Type), fallback: []string{f.Tag.Get("default")}}
	if one.set == nil {
		return refusal(f.Name, "a %s cannot have a default", f.Type)
	}
	if err := one.tryDefault(f); err != nil {
		return err
	}
	j.presets = append(j.presets, preset{offset, one.set, one.fallback[0]})
	return nil
}

func memberName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		return f.Name
	}
	return name
}

// addWhole adds a value that is the whole body.
func (p *plan) addWhole(name string, t reflect.Type, offset uintptr, as string, required bool) error {
	kind, err := wholeKind(name, t, as)
	if err != nil {
		return err
	}
	if kind == noBody {
		return nil
	}
	if p.body == kind {
		return refusal(name, "reads the body, and another field too")
	}
	if err := p.claim(name, kind); err != nil {
		return err
	}
	switch kind {
	case rawBody:
		p.bodies = append(p.bodies, wholeRaw(t, offset))
	case streamBody:
		p.steps = append(p.steps, wholeStream(t, offset))
	default:
		return p.addDocument(name, t, offset, required)
	}
	return nil
}

func wholeKind(name string, t reflect.Type, as string) (int, error) {
	kind := jsonBody
	switch {
	case t == bytesType || t == stringType:
		kind = rawBody
	case t == readerType || t == closerType:
		kind = streamBody
	case t.Kind() == reflect.Struct && t.NumField() == 0:
		kind = noBody
	}
	want, ok := map[string]int{
		"": kind, "json": jsonBody, "raw": rawBody, "text": rawBody, "stream": streamBody,
	}[as]
	if !ok {
		return 0, refusal(name, `the tag body is "", "json", "raw", "text" or "stream"`)
	}
	if want != kind && want != jsonBody {
		return 0, refusal(name, "a %s is not %s", t, bodyNames[want])
	}
	return want, nil
}

func (p *plan) addDocument(name string, t reflect.Type, offset uintptr, required bool) error {
	if bad := unfit(t); bad != nil {
		return refusal(name, "a %s cannot be read from JSON", bad)
	}
	j := &jsonPlan{shadow: t, offset: offset}
	j.whole = required && t.Kind() != reflect.Pointer
	if t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(unmarshaler) {
		if err := j.addMembers(t, offset); err != nil {
			return err
		}
	}
	p.json = nil // it has no members beside the document
	p.bodies = append(p.bodies, j.read)
	if name != "" { // else it is the input, which is checked anyway
		p.addCheck(t, offset, Invalid{Field: "body", In: "body"})
	}
	return nil
}

func (j *jsonPlan) addMembers(t reflect.Type, base uintptr) error {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		var err error
		switch {
		case tag == "-":
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct:
			err = j.addMembers(f.Type, base+f.Offset)
		case f.IsExported() && (!f.Anonymous || tag != ""):
			err = j.addMember(f, base+f.Offset)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unfit finds what no JSON can be read into; nil if all of t is fit.
func unfit(t reflect.Type) reflect.Type {
	return misfit(t, map[reflect.Type]bool{}, func(t reflect.Type) (does, can bool) {
		p := reflect.PointerTo(t)
		return p.Implements(unmarshaler) || p.Implements(textType),
			t.Kind() != reflect.Interface || t.NumMethod() == 0
	})
}

// unanswerable finds what no JSON can be made of; nil if all of t can.
func unanswerable(t reflect.Type) reflect.Type {
	return misfit(t, map[reflect.Type]bool{}, func(t reflect.Type) (does, can bool) {
		return t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler), true
	})
}

// misfit finds what has no place in JSON, in t or in what it is made of: knows
// says which types see to it themselves (does), and which can not (can).
func misfit(t reflect.Type, seen map[reflect.Type]bool, knows func(reflect.Type) (does, can bool)) reflect.Type {
	if seen[t] {
		return nil
	}
	does, can := knows(t)
	if does {
		return nil
	}
	if !can {
		return t
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128,
		reflect.UnsafePointer:
		return t
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return misfit(t.Elem(), seen, knows)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if (!f.IsExported() && !f.Anonymous) || f.Tag.Get("json") == "-" {
				continue
			}
			if bad := misfit(f.Type, seen, knows); bad != nil {
				return bad
			}
		}
	}
	return nil
}

// shadowOf makes a type with the layout of t in which JSON sees only members
// of the document.
func shadowOf(t reflect.Type) reflect.Type {
	fields := make([]reflect.StructField, t.NumField())
	for i := range fields {
		f := t.Field(i)
		_, _, tagged := tagOf(f)
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct && !tagged &&
			!isSpecial(f.Type) && f.Tag.Get("json") == "":
			f.Type = shadowOf(f.Type)
			f.Name = "E" + f.Name
		case tagged || isSpecial(f.Type) || !f.IsExported():
			f.Name = fmt.Sprintf("F%d", i)
			f.Tag = `json:"-"`
			f.Anonymous = false
		}
		f.PkgPath = ""
		fields[i] = f
	}
	return reflect.StructOf(fields)
}

// ---- Reading ---------------------------------------------------------------

// read is the step that reads the document.
func (j *jsonPlan) read(c *Ctx, body []byte, base unsafe.Pointer, bad *rejections) {
	for _, one := range j.presets {
		one.set(unsafe.Add(base, one.offset), one.text)
	}
	if len(body) == 0 {
		j.absent(bad)
		return
	}
	if !isJSON(c.on().header("content-type").View()) {
		bad.add(http.StatusUnsupportedMediaType, "content-type", "header",
			"must be application/json")
		return
	}
	to := reflect.NewAt(j.shadow, unsafe.Add(base, j.offset)).Interface()
	if err := json.Unmarshal(body, to); err != nil {
		refuseJSON(err, bad)
		return
	}
	j.missing(body, bad)
}

// absent says what is missing where there is no body.
func (j *jsonPlan) absent(bad *rejections) {
	for _, name := range j.required {
		bad.add(http.StatusBadRequest, name, "body", "is missing")
	}
	if j.whole && len(j.required) == 0 {
		bad.add(http.StatusBadRequest, "body", "body", "is missing")
	}
}

// missing says which members are missing in a document that is well-formed.
func (j *jsonPlan) missing(body []byte, bad *rejections) {
	var few [32]bool
	seen := few[:]
	if len(j.required) > len(few) {
		seen = make([]bool, len(j.required))
	}
	if len(j.required) == 0 || !markMembers(body, j.required, seen) {
		return
	}
	for i, name := range j.required {
		if !seen[i] {
			bad.add(http.StatusUnprocessableEntity, name, "body", "is missing")
		}
	}
}

// isJSON says whether a Content-Type is application/json or some other +json.
func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.TrimSpace(kind)
	return strings.EqualFold(kind, "application/json") ||
		(len(kind) > 5 && strings.EqualFold(kind[len(kind)-5:], "+json"))
}

func refuseJSON(err error, bad *rejections) {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	text := strings.TrimPrefix(err.Error(), "json: ")
	switch {
	case errors.As(err, &syntax):
		bad.add(http.StatusBadRequest, "body", "body",
			fmt.Sprintf("%s at octet %d", text, syntax.Offset))
	case errors.As(err, &kind):
		name := kind.Field
		if name == "" {
			name = "body"
		}
		bad.add(http.StatusUnprocessableEntity, name, "body", wantOf(kind))
	default:
		bad.add(http.StatusUnprocessableEntity, "body", "body", text)
	}
}

// wantOf says what a value of JSON had to be.
func wantOf(err *json.UnmarshalTypeError) string {
	number, isNumber := strings.CutPrefix(err.Value, "number ")
	whole := isNumber && !strings.ContainsAny(number, ".eE")
	switch err.Type.Kind() {
	case reflect.String:
		return "must be a string"
	case reflect.Bool:
		return "must be true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if whole {
			return "is out of range"
		}
		return "must be an integer"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if whole && !strings.HasPrefix(number, "-") {
			return "is out of range"
		}
		return "must be an unsigned integer"
	case reflect.Float32, reflect.Float64:
		if isNumber {
			return "is out of range"
		}
		return "must be a number"
	case reflect.Slice, reflect.Array:
		return "must be an array"
	}
	return "must be an object"
}

// ---- Which members there are -----------------------------------------------

// markMembers notes in seen which of names the object in data has, with
// another value than null.  data is well-formed; false if it is no object.
func markMembers(data []byte, names []string, seen []bool) bool {
	i := skipSpace(data, 0)
	if i == len(data) || data[i] != '{' {
		return false
	}
	i = skipSpace(data, i+1)
	for data[i] != '}' {
		end := skipString(data, i)
		key := data[i:end]
		i = skipSpace(data, skipSpace(data, end)+1)
		if data[i] != 'n' {
			mark(key, names, seen)
		}
		i = skipSpace(data, skipValue(data, i))
		if data[i] == ',' {
			i = skipSpace(data, i+1)
		}
	}
	return true
}

// mark compares as encoding/json does: in any case.
func mark(key []byte, names []string, seen []bool) {
	text := unsafe.String(&key[1], len(key)-2)
	if strings.IndexByte(text, '\\') >= 0 {
		var plain string
		if json.Unmarshal(key, &plain) != nil {
			return
		}
		text = plain
	}
	for i, name := range names {
		if text == name || strings.EqualFold(text, name) {
			seen[i] = true
		}
	}
}

func skipSpace(data []byte, i int) int {
	for i < len(data) && data[i] <= ' ' {
		i++
	}
	return i
}

// skipString goes from the quote at i to behind the one that ends it.
func skipString(data []byte, i int) int {
	for i++; data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skipValue goes behind the value that begins at i.
func skipValue(data []byte, i int) int {
	for depth := 0; i < len(data); {
		switch data[i] {
		case '"':
			i = skipString(data, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}
