// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"encoding"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// A setter puts text, which is lent to it, into the value at p.  It returns 0,
// or the status and the reason of a rejection.
type setter func(p unsafe.Pointer, text string) (status int, reason string)

var (
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()
)

// setterFor makes the setter of a type; nil if text cannot become one.
func setterFor(t reflect.Type) setter {
	switch {
	case t == durationType:
		return setDuration
	case t == timeType:
		return setTime
	case reflect.PointerTo(t).Implements(textType):
		return setterText(t)
	}
	switch t.Kind() {
	case reflect.String:
		return setString
	case reflect.Bool:
		return setBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return setterInt(t.Bits())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32,
		reflect.Uint64, reflect.Uintptr:
		return setterUint(t.Bits())
	case reflect.Float32, reflect.Float64:
		return setterFloat(t.Bits())
	case reflect.Pointer:
		return setterPointer(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return setBytes
		}
	}
	return nil
}

func setString(p unsafe.Pointer, text string) (int, string) {
	*(*string)(p) = strings.Clone(text)
	return 0, ""
}

func setBytes(p unsafe.Pointer, text string) (int, string) {
	*(*[]byte)(p) = []byte(text)
	return 0, ""
}

func setterPointer(elem reflect.Type) setter {
	set := setterFor(elem)
	if set == nil {
		return nil
	}
	return func(p unsafe.Pointer, text string) (int, string) {
		to := reflect.New(elem).UnsafePointer()
		*(*unsafe.Pointer)(p) = to
		return set(to, text)
	}
}

func setterText(t reflect.Type) setter {
	return func(p unsafe.Pointer, text string) (int, string) {
		to := reflect.NewAt(t, p).Interface().(encoding.TextUnmarshaler)
		if err := to.UnmarshalText([]byte(text)); err != nil {
			return textFault(err)
		}
		return 0, ""
	}
}

// textFault is 400, unless the error knows better: an [Invalid] is 422.
func textFault(err error) (int, string) {
	var invalid Invalid
	if errors.As(err, &invalid) {
		return http.StatusUnprocessableEntity, invalid.Reason
	}
	return http.StatusBadRequest, err.Error()
}

var words = [...]string{"false", "true", "0", "1", "no", "yes", "off", "on"}

func setBool(p unsafe.Pointer, text string) (int, string) {
	for i, word := range words {
		if strings.EqualFold(text, word) {
			*(*bool)(p) = i&1 == 1
			return 0, ""
		}
	}
	return http.StatusBadRequest, "must be true or false"
}

// ---- Numbers ---------------------------------------------------------------

func setterInt(bits int) setter {
	return func(p unsafe.Pointer, text string) (int, string) {
		n, err := strconv.ParseInt(text, 10, bits)
		if err != nil {
			return numberFault(err, "must be an integer")
		}
		switch bits {
		case 8:
			*(*int8)(p) = int8(n)
		case 16:
			*(*int16)(p) = int16(n)
		case 32:
			*(*int32)(p) = int32(n)
		default:
			*(*int64)(p) = n
		}
		return 0, ""
	}
}

func setterUint(bits int) setter {
	return func(p unsafe.Pointer, text string) (int, string) {
		n, err := strconv.ParseUint(text, 10, bits)
		if err != nil {
			return numberFault(err, "must be an unsigned integer")
		}
		switch bits {
		case 8:
			*(*uint8)(p) = uint8(n)
		case 16:
			*(*uint16)(p) = uint16(n)
		case 32:
			*(*uint32)(p) = uint32(n)
		default:
			*(*uint64)(p) = n
		}
		return 0, ""
	}
}

func setterFloat(bits int) setter {
	return func(p unsafe.Pointer, text string) (int, string) {
		if !isNumber(text) {
			return http.StatusBadRequest, "must be a number"
		}
		n, err := strconv.ParseFloat(text, bits)
		if err != nil {
			return numberFault(err, "must be a number")
		}
		if bits == 32 {
			*(*float32)(p) = float32(n)
		} else {
			*(*float64)(p) = n
		}
		return 0, ""
	}
}

func numberFault(err error, want string) (int, string) {
	if errors.Is(err, strconv.ErrRange) {
		return http.StatusUnprocessableEntity, "is out of range"
	}
	return http.StatusBadRequest, want
}

// isNumber says whether text is a number as JSON writes it (RFC 8259 section
// 6): Go would take "inf", "0x1p-2" and "1_000" too.
func isNumber(text string) bool {
	text = strings.TrimPrefix(text, "-")
	n := digits(text)
	if n == 0 || (n > 1 && text[0] == '0') {
		return false
	}
	text = text[n:]
	if strings.HasPrefix(text, ".") {
		if n = digits(text[1:]); n == 0 {
			return false
		}
		text = text[1+n:]
	}
	if text != "" && text[0]|0x20 == 'e' {
		text = text[1:]
		if text != "" && (text[0] == '+' || text[0] == '-') {
			text = text[1:]
		}
		if n = digits(text); n == 0 {
			return false
		}
		text = text[n:]
	}
	return text == ""
}

// digits counts the decimal digits that text begins with.
func digits(text string) int {
	n := 0
	for n < len(text) && text[n]-'0' < 10 {
		n++
	}
	return n
}

// ---- Time ------------------------------------------------------------------

func setDuration(p unsafe.Pointer, text string) (int, string) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return http.StatusBadRequest, "must be a duration such as 1.5s"
	}
	*(*time.Duration)(p) = d
	return 0, ""
}

// setTime reads RFC 3339, and the dates of HTTP, which header fields have.
func setTime(p unsafe.Pointer, text string) (int, string) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = http.ParseTime(text)
	}
	if err != nil {
		return http.StatusBadRequest,
			"must be a time such as 2006-01-02T15:04:05Z"
	}
	*(*time.Time)(p) = t
	return 0, ""
}

// ---- Lists -----------------------------------------------------------------

// appenderFor makes what adds one more text to a slice; nil if its elements
// cannot be made of text.
func appenderFor(t reflect.Type) setter {
	if t.Kind() != reflect.Slice || setterFor(t) != nil {
		return nil
	}
	set := setterFor(t.Elem())
	if set == nil {
		return nil
	}
	if t.Elem().Kind() == reflect.String && !reflect.PointerTo(t.Elem()).Implements(textType) {
		return appendText
	}
	zero := reflect.Zero(t.Elem())
	return func(p unsafe.Pointer, text string) (int, string) {
		list := reflect.NewAt(t, p).Elem()
		list.Set(reflect.Append(list, zero))
		return set(list.Index(list.Len()-1).Addr().UnsafePointer(), text)
	}
}

func appendText(p unsafe.Pointer, text string) (int, string) {
	list := (*[]string)(p)
	*list = append(*list, strings.Clone(text))
	return 0, ""
}
