// SPDX-License-Identifier: Apache-2.0

package volo

// Handler answers an exchange: it sets the answer on c and returns nil, or
// returns an error, which the server's error handler turns into one.  The
// answer leaves when the outermost handler has returned, so middleware can
// still change it, unless it is streamed.
//
// c is good until ServeVolo returns.  Whoever uses it later gets a panic that
// says so.
type Handler interface {
	ServeVolo(c *Ctx) error
}

// HandlerFunc is a function as a [Handler].
type HandlerFunc func(c *Ctx) error

// ServeVolo calls f.
func (f HandlerFunc) ServeVolo(c *Ctx) error { return f(c) }

// Middleware wraps a handler in another one.
type Middleware = func(Handler) Handler

// chain wraps h so that the first of list is outermost.
func chain(list []Middleware, h Handler) Handler {
	for i := len(list) - 1; i >= 0; i-- {
		h = list[i](h)
		if h == nil {
			panic("volo: a middleware returned no handler")
		}
	}
	return h
}
