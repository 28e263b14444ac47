// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"io"
	"iter"
	"net/url"
	"strings"

	"libvolo/go/volo/internal/cvolo"
)

// Method is the request's method, such as "GET".
func (c *Ctx) Method() string {
	x := c.on()
	if name := methodName(x.job.Method); name != "" {
		return name
	}
	return x.job.MethodName.String()
}

var methodNames = [...]string{1: "GET", 2: "HEAD", 3: "POST", 4: "PUT",
	5: "DELETE", 6: "CONNECT", 7: "OPTIONS", 8: "TRACE", 9: "PATCH"}

func methodName(number uint32) string {
	if int(number) < len(methodNames) {
		return methodNames[number]
	}
	return ""
}

// ProtoMajor and ProtoMinor are the version of HTTP: 1, 1 for HTTP/1.1.
func (c *Ctx) Proto() (major, minor int) {
	v := int(c.on().job.Version)
	return v / 10, v % 10
}

// Target is the request target as received.
func (c *Ctx) Target() string { return c.on().job.Target.String() }

// Path is the path as received, percent-encoded, without the prefixes of the
// routers that it was nested in.
func (c *Ctx) Path() string { return c.on().job.Path.String() }

// FullPath is the whole path as received, percent-encoded.
func (c *Ctx) FullPath() string { return cvolo.FullPath(c.on().job.Cx).String() }

// Pattern is that of the route which matched, such as "/users/{id}", with the
// prefixes of nested routers; empty in a fallback.
func (c *Ctx) Pattern() string { return c.on().job.Pattern.String() }

// Scheme is "http" or "https".
func (c *Ctx) Scheme() string { return cvolo.Scheme(c.on().job.Cx).String() }

// Host is the host, and port if there is one, that the request is for.
func (c *Ctx) Host() string { return cvolo.Authority(c.on().job.Cx).String() }

// ---- Parameters of the path --------------------------------------------------

// Param is a parameter of the path, decoded; empty if there is none.
func (c *Ctx) Param(name string) string { return string(c.on().param(name).Bytes()) }

// LookupParam is [Ctx.Param] that says whether there is one.
func (c *Ctx) LookupParam(name string) (string, bool) {
	s := c.on().param(name)
	return s.String(), !s.Absent()
}

func (x *exchange) param(name string) cvolo.Str {
	for _, pair := range x.job.Params() {
		if pair.Name.View() == name {
			return pair.Value
		}
	}
	return cvolo.Str{}
}

// Params are the parameters of the path, outermost router first, decoded.
func (c *Ctx) Params() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, pair := range c.on().job.Params() {
			if !yield(pair.Name.String(), pair.Value.String()) {
				return
			}
		}
	}
}

// ---- The query ---------------------------------------------------------------

// RawQuery is what follows the "?", as received.
func (c *Ctx) RawQuery() string { return c.on().job.Query.String() }

// Query is the first value of a name in the query, decoded; empty if there is
// none.
func (c *Ctx) Query(name string) string {
	value, _ := c.LookupQuery(name)
	return value
}

// LookupQuery is [Ctx.Query] that says whether there is one.
func (c *Ctx) LookupQuery(name string) (string, bool) {
	rest := c.on().job.Query.View()
	for rest != "" {
		var value string
		var ok bool
		if rest, value, ok = nextQuery(rest, name); ok {
			return value, true
		}
	}
	return "", false
}

// QueryAll are all values of a name in the query, in order, decoded.
func (c *Ctx) QueryAll(name string) []string {
	var all []string
	rest := c.on().job.Query.View()
	for rest != "" {
		var value string
		var ok bool
		if rest, value, ok = nextQuery(rest, name); ok {
			all = append(all, value)
		}
	}
	return all
}

// QueryValues is the query as net/url reads it, without what is malformed.
func (c *Ctx) QueryValues() url.Values {
	values, _ := url.ParseQuery(c.RawQuery())
	return values
}

// nextQuery looks at the first pair of a query: whether it is well-formed and
// has that name.  The value is a copy.
func nextQuery(query, name string) (rest, value string, ok bool) {
	pair, rest, _ := strings.Cut(query, "&")
	key, value, _ := strings.Cut(pair, "=")
	if key != name {
		if !strings.ContainsAny(key, "%+") {
			return rest, "", false
		}
		if plain, err := url.QueryUnescape(key); err != nil || plain != name {
			return rest, "", false
		}
	}
	if !strings.ContainsAny(value, "%+") {
		return rest, strings.Clone(value), true
	}
	value, err := url.QueryUnescape(value)
	return rest, value, err == nil
}

// ---- Fields ------------------------------------------------------------------

// Header is the value of the first field of that name, in any case; empty if
// there is none.
func (c *Ctx) Header(name string) string { return string(c.on().header(name).Bytes()) }

// LookupHeader is [Ctx.Header] that says whether there is one.
func (c *Ctx) LookupHeader(name string) (string, bool) {
	s := c.on().header(name)
	return s.String(), !s.Absent()
}

// HeaderAll are the values of all field lines of that name, in order.
func (c *Ctx) HeaderAll(name string) []string {
	var all []string
	for _, pair := range c.on().job.Headers() {
		if isName(pair.Name.View(), name) {
			all = append(all, pair.Value.String())
		}
	}
	return all
}

// Headers are all field lines in the order received, names in lower case.
func (c *Ctx) Headers() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, pair := range c.on().job.Headers() {
			if !yield(pair.Name.String(), pair.Value.String()) {
				return
			}
		}
	}
}

func (x *exchange) header(name string) cvolo.Str {
	headers := x.job.Headers()
	for i := range headers {
		if isName(headers[i].Name.View(), name) {
			return headers[i].Value
		}
	}
	return cvolo.Str{}
}

// isName says whether a name in lower case is name, in any case.
func isName(lower, name string) bool {
	if len(lower) != len(name) {
		return false
	}
	for i := 0; i < len(lower); i++ {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if lower[i] != c {
			return false
		}
	}
	return true
}

// Cookie is the value of the first cookie of that name, as received; empty if
// there is none.
func (c *Ctx) Cookie(name string) string {
	value, _ := c.LookupCookie(name)
	return value
}

// LookupCookie is [Ctx.Cookie] that says whether there is one.
func (c *Ctx) LookupCookie(name string) (string, bool) {
	for _, pair := range c.on().job.Headers() {
		if pair.Name.View() != "cookie" {
			continue
		}
		rest := pair.Value.View()
		for rest != "" {
			var one string
			one, rest, _ = strings.Cut(rest, ";")
			key, value, ok := strings.Cut(strings.Trim(one, " \t"), "=")
			if ok && key == name {
				return strings.Clone(unquote(value)), true
			}
		}
	}
	return "", false
}

// unquote takes the quotes off that RFC 6265 allows around a value.
func unquote(value string) string {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		return value[1 : n-1]
	}
	return value
}

// Trailer is a trailer field of the request; empty if there is none, or not
// yet: they are there once the body has been read to its end.
func (c *Ctx) Trailer(name string) string {
	return cvolo.Trailer(c.on().job.Cx, name)
}

// ---- The body ----------------------------------------------------------------

// Body is the whole body, the caller's to keep.  On a route that streams, it
// reads what has not been read yet; see [Streaming].
func (c *Ctx) Body() ([]byte, error) {
	x := c.on()
	if x.isStreamed() {
		return io.ReadAll(c.BodyReader())
	}
	return append([]byte(nil), x.job.Body.Bytes()...), nil
}

// BodyView is [Ctx.Body] without a copy, good until the handler returns, and
// not to be written to.  It is empty on a route that streams.
func (c *Ctx) BodyView() []byte { return c.on().job.Body.Bytes() }

// BodyReader reads the body, on a route that streams as it comes from the
// client, who is held back while nobody reads.  Good until the handler
// returns; then reads fail.
//
// Errors besides [io.EOF]: ErrTooBig, ErrProtocol, ErrTimedOut, ErrCanceled.
func (c *Ctx) BodyReader() io.ReadCloser {
	x := c.on()
	if x.reader == nil {
		x.reader = newBodyReader(x)
	}
	return x.reader
}

// ContentLength is the announced length of the body: 0 if there is none, -1 if
// it is not known.
func (c *Ctx) ContentLength() int64 { return cvolo.ContentLength(c.on().job.Cx) }

// ---- Who asks ----------------------------------------------------------------

// RemoteAddr is the address of the other end of the connection, "ip:port";
// "unix" for a Unix socket, "test" in the in-memory client.
func (c *Ctx) RemoteAddr() string { return cvolo.RemoteAddr(c.on().job.Cx) }

// ClientIP is the address of the client, seen through trusted proxies by the
// [ClientIP] layer; without it, that of the connection.
func (c *Ctx) ClientIP() string { return cvolo.ClientIP(c.on().job.Cx).String() }

// RequestID is the id that the [RequestID] layer gave; empty without it.
func (c *Ctx) RequestID() string { return cvolo.RequestID(c.on().job.Cx).String() }
