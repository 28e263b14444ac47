// SPDX-License-Identifier: Apache-2.0

// Package volo serves HTTP with libvolo: connections, parsing and routing are
// C, on loops of their own; handlers are Go, on goroutines.
//
//	func hello(c *volo.Ctx) error { return c.Text("Hello, World!") }
//
//	func main() {
//		r := volo.NewRouter()
//		r.Get("/", hello)
//		log.Fatal(volo.ListenAndServe(":8080", r))
//	}
//
// # Three kinds of handlers
//
// A [HandlerFunc] reads and answers a [Ctx].
//
// A typed function gets its input ready, and returns what is to be answered.
// Where each value comes from is said by tags; what does not fit is answered
// before the function is called, and what could never fit is refused when the
// handler is registered.  See [Handle].
//
//	type showUser struct {
//		ID   int64  `path:"id"`
//		Lang string `query:"lang" default:"en"`
//	}
//
//	func show(ctx context.Context, in showUser) (User, error) { … }
//
//	volo.Get(r, "/users/{id}", show)
//
// Any [http.Handler], the standard mux, chi and gin among them, runs unchanged.
// See [HTTP].
//
//	volo.ListenAndServe(":8080", volo.HTTP(mux))
//
// # Errors
//
// A handler that fails returns an error.  One with a status, such as
// volo.Error(404, "no such user"), is answered with that: as short text, or as
// a document of RFC 9457 for a client that names JSON in Accept.  Anything else
// is 500, and is logged; so is a panic, with its stack.  [Server.ErrorHandler]
// can do otherwise.
//
// # Middleware and layers
//
// A [Middleware] is func(volo.Handler) volo.Handler.  The first that is added
// is the outermost, and wraps everything in its router, whether that was added
// before or after, the 404 and 405 included.  Stock layers of libvolo, such as
// [AccessLog], [CORS] and [Timeout], run on its loops, and stand in the same
// order: see [Router.UseNative], and [Router.Use] for what it costs.
//
// # Lifetime
//
// A Ctx, its [Writer] and its body are good until the handler returns; the
// strings and slices that they gave are for good, but for [Ctx.BodyView].  The
// [context.Context] is done when the client leaves, and when the handler
// returns.  The answer leaves when the outermost handler has returned, unless
// it is streamed.
//
// # Where handlers run
//
// By default each may block, as on net/http: see [Mode] for what is cheaper.
//
// # Building
//
// The package is built with cgo against an installed libvolo, which pkg-config
// finds; with -tags volo_static, it becomes part of the program.  Package
// volotest has a client for tests, with no socket.
package volo
