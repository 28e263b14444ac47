// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// HTTPError is an error that says how it is answered: with its status, and a
// short text for the client, or a document of RFC 9457 for a client that names
// JSON in Accept.
//
// A handler returns one; errors.As finds it in what wraps it.
type HTTPError struct {
	// Status is what the client gets; 500 if it is no error status.
	Status int
	// Detail is told to the client; it may be empty.
	Detail string
	// Errors are the values that were not accepted, if that is what is wrong.
	Errors []Invalid
	// Header is added to the answer, such as WWW-Authenticate or Retry-After.
	Header http.Header
	// Err is the cause, which the client is not told.
	Err error
}

// Invalid is a value of the request that was not accepted.  As an error of a
// Validate method or an [Extractor] it is answered with 422.
type Invalid struct {
	// Field is its name.
	Field string
	// In is where it stands: "path", "query", "header", "cookie", "form",
	// "body" or "request".
	In string
	// Reason is what is wrong with it, such as "must be an integer".
	Reason string
}

// Error makes an error that is answered with status and, if it is not empty,
// detail.
func Error(status int, detail string) *HTTPError {
	return &HTTPError{Status: status, Detail: detail}
}

// Errorf is [Error] with a format, whose %w is the cause.  Its text is told to
// the client.
func Errorf(status int, format string, args ...any) *HTTPError {
	err := fmt.Errorf(format, args...)
	return &HTTPError{Status: status, Detail: err.Error(), Err: err}
}

// Reject makes an error that is answered with status and says which value of
// the request was not accepted, where it stands, and why.
func Reject(status int, field, in, reason string) *HTTPError {
	return &HTTPError{Status: status, Errors: []Invalid{{field, in, reason}}}
}

// Error says all that is known, the cause too.
func (e *HTTPError) Error() string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(e.Status))
	if title := reason(e.Status); title != "" {
		b.WriteString(" " + title)
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	for _, one := range e.Errors {
		b.WriteString("; " + one.Error())
	}
	if e.Err != nil && e.Err.Error() != e.Detail {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *HTTPError) Unwrap() error { return e.Err }

// StatusCode is the status that the client gets.
func (e *HTTPError) StatusCode() int {
	if e.Status < 300 || e.Status > 999 {
		return http.StatusInternalServerError
	}
	return e.Status
}

// Respond answers with the error, as a result that is none: nothing is logged.
func (e *HTTPError) Respond(c *Ctx) error {
	for name, values := range e.Header {
		for _, value := range values {
			if err := c.AddHeader(name, value); err != nil {
				return fmt.Errorf("volo: field %q: %w", name, err)
			}
		}
	}
	kind, body := e.render(c.on().header("accept").View())
	c.Status(e.StatusCode())
	return c.Bytes(kind, body)
}

// Error says where, which and why, as in "query limit: must be an integer".
func (i Invalid) Error() string {
	if i.Field == "" || i.Field == i.In {
		return i.In + ": " + i.Reason
	}
	return i.In + " " + i.Field + ": " + i.Reason
}

// StatusCode is 422.
func (i Invalid) StatusCode() int { return http.StatusUnprocessableEntity }

// reason is the phrase of a status in the IANA registry; net/http has older
// ones for a few.
func reason(status int) string {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return "Content Too Large"
	case http.StatusRequestURITooLong:
		return "URI Too Long"
	case http.StatusRequestedRangeNotSatisfiable:
		return "Range Not Satisfiable"
	case http.StatusUnprocessableEntity:
		return "Unprocessable Content"
	case http.StatusTeapot:
		return ""
	}
	return http.StatusText(status)
}

// render makes the body of an error and its Content-Type, for a client whose
// Accept field that is.  They are the same octets that libvolo itself answers
// with.
func (e *HTTPError) render(accept string) (contentType string, body []byte) {
	status := e.StatusCode()
	detail := e.Detail
	if strings.EqualFold(detail, reason(status)) {
		detail = ""
	}
	if wantsJSON(accept) {
		return "application/problem+json", e.asJSON(status, detail)
	}
	return "text/plain; charset=utf-8", e.asText(status, detail)
}

func (e *HTTPError) asText(status int, detail string) []byte {
	b := make([]byte, 0, 128)
	if title := reason(status); title != "" {
		b = append(b, title...)
	} else {
		b = strconv.AppendInt(b, int64(status), 10)
	}
	if detail != "" {
		b = appendPlain(append(b, ": "...), detail)
	}
	b = append(b, '\n')
	for _, one := range e.Errors {
		b = append(b, one.In...)
		if one.Field != one.In && one.Field != "" {
			if one.In != "" {
				b = append(b, ' ')
			}
			b = appendPlain(b, one.Field)
		}
		b = append(b, ": "...)
		b = append(appendPlain(b, one.Reason), '\n')
	}
	return b
}

// appendPlain adds text whose control octets would disturb whoever reads it on
// a terminal.
func appendPlain(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == 0x7f {
			b = append(b, '?')
		} else {
			b = append(b, c)
		}
	}
	return b
}

func (e *HTTPError) asJSON(status int, detail string) []byte {
	b := make([]byte, 0, 192)
	b = appendString(append(b, `{"title":`...), reason(status))
	b = strconv.AppendInt(append(b, `,"status":`...), int64(status), 10)
	if detail != "" {
		b = appendString(append(b, `,"detail":`...), detail)
	}
	for i, one := range e.Errors {
		if i == 0 {
			b = append(b, `,"errors":[`...)
		} else {
			b = append(b, ',')
		}
		field := one.Field
		if field == "" {
			field = one.In
		}
		b = appendString(append(b, `{"field":`...), field)
		b = appendString(append(b, `,"in":`...), one.In)
		b = appendString(append(b, `,"reason":`...), one.Reason)
		b = append(b, '}')
	}
	if len(e.Errors) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendString adds a JSON string.  What a client sent may be no UTF-8: then
// each octet that is not ASCII is escaped alone.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	valid := utf8.ValidString(s)
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c == 0x7f || (c >= 0x80 && !valid):
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// wantsJSON says whether an Accept field names JSON: a browser that takes
// anything reads text.
func wantsJSON(accept string) bool {
	for accept != "" {
		var item string
		item, accept, _ = strings.Cut(accept, ",")
		kind, params, _ := strings.Cut(item, ";")
		kind = strings.TrimSpace(kind)
		if (strings.EqualFold(kind, "application/json") ||
			strings.EqualFold(kind, "application/problem+json")) &&
			!isRefused(params) {
			return true
		}
	}
	return false
}

// isRefused says whether the parameters of a media range have a weight of 0.
func isRefused(params string) bool {
	for params != "" {
		var one string
		one, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(one, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return err == nil && weight == 0
	}
	return false
}
