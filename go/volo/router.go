// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"

	"libvolo/go/volo/internal/cvolo"
)

// Router gives each exchange to the handler of the pattern that its path
// matches:
//
//	/users            itself
//	/users/{id}       one segment, not empty
//	/img-{id}.png     part of a segment
//	/files/{*rest}    the rest, not empty, slashes included; last
//	{{ and }}         a brace
//
// Static goes before affixed, affixed before plain, plain before catch-all.
// An unknown path is 404, an unknown method 405 with Allow; HEAD is answered
// by GET's handler unless it has its own, OPTIONS by the router.  Routing is
// libvolo's, and costs Go nothing.
//
// It is built before it is served.  Its methods panic for what cannot be: a
// malformed pattern, two patterns in conflict, a change while it is served.
type Router struct {
	c      cvolo.Volo_router
	parent *Router
	prefix string
	host   string // of Host, if that is what it is nested by
	shares bool   // a group without a prefix: its paths are its parent's

	wraps    []wrapping // what stands around all in it
	last     *cvolo.Layer
	slash    *int
	clean    *bool
	routes   []*route
	inner    []*Router
	fallback *route
	noMethod *route
	options  bool
	mode     Mode
	served   *program // of the outermost
	frozen   bool     // it has been served once
}

// NewRouter makes an empty router.
func NewRouter() *Router {
	var c uintptr
	must(cvolo.Volo_router_new(&c), "")
	r := &Router{c: cvolo.SwigcptrVolo_router(c), options: true}
	runtime.AddCleanup(r, func(c cvolo.Volo_router) { cvolo.DeleteVolo_router(c) }, r.c)
	return r
}

// must panics if a function of libvolo failed.
func must(n int, what string) {
	if n < 0 {
		panic("volo: " + strings.TrimPrefix(what+": ", ": ") + strings.TrimPrefix(Code(n).Error(), "volo: "))
	}
}

// check panics with the words of libvolo if something could not be done to r.
func (r *Router) check(n int, what string) {
	if n >= 0 {
		return
	}
	why := cvolo.Volo_router_error(r.c)
	if why == "" {
		why = strings.TrimPrefix(Code(n).Error(), "volo: ")
	}
	panic("volo: " + what + ": " + why)
}

// text panics if C could not have s as it is.
func text(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		panic(fmt.Sprintf("volo: %q has a NUL in it", s))
	}
	return s
}

// ServeVolo refuses: routing happens before a handler of Go is called, so a
// router can be a server's handler or be nested in another router, but cannot
// be called.  Middleware is added to it with [Router.Use].
func (r *Router) ServeVolo(*Ctx) error {
	return Errorf(http.StatusInternalServerError,
		"volo: a Router was called as a handler; add middleware with Use, routers with Nest")
}

// ---- Routes ------------------------------------------------------------------

// route is a place in a router where a handler of Go stands.
type route struct {
	router  *Router
	method  string
	pattern string
	handler Handler
	wraps   []wrapping // of its own
	mode    Mode
	slot    cvolo.Slot
	place   *cvolo.Layer // of middleware with a native layer inside; it is no route then
	within  bool         // inside such a place

	streaming bool
	small     bool        // not where the body is small
	slow      atomic.Bool // has taken long lately: nobody is to wait for it
	run       Handler     // with all middleware, while it is served
}

// Get answers GET on pattern, and HEAD if it has no route of its own.
func (r *Router) Get(pattern string, h HandlerFunc, opts ...RouteOption) {
	r.Handle(http.MethodGet, pattern, h, opts...)
}

// Head answers HEAD on pattern.
func (r *Router) Head(pattern string, h HandlerFunc, opts ...RouteOption) {
	r.Handle(http.MethodHead, pattern, h, opts...)
}

// Post answers POST on pattern.
func (r *Router) Post(pattern string, h HandlerFunc, opts ...RouteOption) {
	r.Handle(http.MethodPost, pattern, h, opts...)
}

// Put answers PUT on pattern.
func (r *Router) Put(pattern string, h HandlerFunc, opts ...RouteOption) {
	r.Handle(http.MethodPut, pattern, h, opts...)
}

// Patch answers PATCH on pattern.
func (r *Router) Patch(pattern string, h HandlerFunc, opts ...RouteOption) {
	r.Handle(http.MethodPatch, pattern, h, opts...)
}

// Delete answers DELETE on pattern.
func (r *Router) Delete(pattern string, h HandlerFunc, opts ...RouteOption) {
	r.Handle(http.MethodDelete, pattern, h, opts...)
}

// Options answers OPTIONS on pattern, in the router's place.
func (r *Router) Options(pattern string, h HandlerFunc, opts ...RouteOption) {
	r.Handle(http.MethodOptions, pattern, h, opts...)
}

// Any answers all methods on pattern that have no route of their own there.
func (r *Router) Any(pattern string, h HandlerFunc, opts ...RouteOption) {
	r.Handle("", pattern, h, opts...)
}

// Handle answers method on pattern with h; an empty method is [Router.Any].
func (r *Router) Handle(method, pattern string, h Handler, opts ...RouteOption) {
	what := strings.TrimPrefix(method+" "+pattern, " ")
	if h == nil {
		panic("volo: " + what + ": no handler")
	}
	if _, ok := h.(*Router); ok {
		panic("volo: " + what + ": a Router is nested with Nest")
	}
	if err := r.checkParams(pattern, h); err != nil {
		panic(err)
	}
	rt := &route{router: r, method: method, pattern: pattern, handler: h}
	rt.streaming = streams(h)
	rt.small = rt.streaming
	var at uintptr
	service := rt.newSlot()
	err := cvolo.Volo_router_route(&at, r.c, text(method), text(pattern), service)
	cvolo.DeleteVolo_service(service)
	r.check(err, what)
	r.routes = append(r.routes, rt)
	set := &routeSetup{route: rt, c: cvolo.SwigcptrVolo_route(at), what: what}
	for _, opt := range opts {
		opt(set)
	}
}

// fullPattern is pattern with the prefixes of all routers around it that are
// known by now.
func (r *Router) fullPattern(pattern string) string {
	for ; r != nil; r = r.parent {
		pattern = strings.TrimSuffix(r.prefix, "/") + pattern
	}
	return pattern
}

// newSlot makes the service that stands for the route, the caller's to unref.
func (rt *route) newSlot() cvolo.Volo_service {
	slot, service, err := cvolo.NewSlot()
	must(err, "")
	rt.slot = slot
	return service
}

// routeSetup is what a RouteOption works on.
type routeSetup struct {
	*route
	c    cvolo.Volo_route
	what string
}

// RouteOption adorns a route.
type RouteOption func(*routeSetup)

// Name names the route, for [Router.URL].
func Name(name string) RouteOption {
	return func(s *routeSetup) {
		must(cvolo.Volo_route_name(s.c, text(name)), s.what+": name "+name)
	}
}

// InMode says where the handler runs; else that is the router's or server's.
func InMode(mode Mode) RouteOption {
	return func(s *routeSetup) { s.mode = mode }
}

// Streaming calls the handler at once, with the body unread: it reads it with
// [Ctx.BodyReader] as it comes.
func Streaming() RouteOption {
	return func(s *routeSetup) { s.streaming, s.small = true, false }
}

// With wraps this one route in middleware, inside its router's.
func With(list ...Middleware) RouteOption {
	return func(s *routeSetup) { s.wraps = append(s.wraps, wrappings(list)...) }
}

// WithNative wraps this one route in layers of libvolo, inside its router's and
// inside what With has given it before.
func WithNative(layers ...NativeLayer) RouteOption {
	return func(s *routeSetup) {
		add := func(layer cvolo.Volo_layer) int { return cvolo.Volo_route_layer(s.c, layer) }
		if len(layers) > 0 {
			s.wraps = append(s.wraps, newPlace(add, s.what))
		}
		for _, layer := range layers {
			must(add(layer.made(s.what)), s.what+": "+layer.name)
		}
	}
}

// MaxBody accepts at most n octets of body on this route, in place of the
// server's limit.  Errors as for [WithNative].
func MaxBody(n uint64) RouteOption { return WithNative(BodyLimit(n)) }

// Fallback answers unknown paths in r, in place of 404.
func (r *Router) Fallback(h Handler) {
	if r.fallback != nil {
		panic("volo: Fallback: set already")
	}
	r.fallback = r.setFallback(h, cvolo.Volo_router_fallback)
}

// MethodFallback answers methods that a path does not have, in place of 405;
// Allow is set already.
func (r *Router) MethodFallback(h Handler) {
	if r.noMethod != nil {
		panic("volo: MethodFallback: set already")
	}
	r.noMethod = r.setFallback(h, cvolo.Volo_router_method_fallback)
}

func (r *Router) setFallback(h Handler, set func(cvolo.Volo_router, cvolo.Volo_service) int) *route {
	if h == nil {
		panic("volo: fallback: no handler")
	}
	rt := &route{router: r, handler: h}
	rt.streaming = streams(h)
	rt.small = rt.streaming
	service := rt.newSlot()
	err := set(r.c, service)
	cvolo.DeleteVolo_service(service)
	r.check(err, "fallback")
	return rt
}

// ---- Routers in routers --------------------------------------------------------

// Group makes routes with middleware of their own.  What build is given is a
// router nested at prefix; if that is "" or "/", it shares the paths of r.  It
// is returned too.
func (r *Router) Group(prefix string, build func(*Router)) *Router {
	var c uintptr
	r.check(cvolo.Volo_router_group(&c, r.c, text(prefix)), "group "+prefix)
	g := &Router{c: cvolo.SwigcptrVolo_router(c), options: true, parent: r, prefix: prefix,
		shares: prefix == "" || prefix == "/"}
	r.inner = append(r.inner, g)
	if build != nil {
		build(g)
	}
	return g
}

// Nest lets inner answer all below prefix, which it does not see: the prefix
// itself is "/" to it.
func (r *Router) Nest(prefix string, inner *Router) {
	r.adopt(inner, prefix)
	r.check(cvolo.Volo_router_nest(r.c, text(prefix), inner.c), "nest "+prefix)
	r.take(inner, prefix)
}

// Host lets inner answer requests for host: "api.example.com",
// "*.example.com" (any labels), "{tenant}.example.com" (one, a parameter).
func (r *Router) Host(host string, inner *Router) {
	r.adopt(inner, "")
	r.check(cvolo.Volo_router_host(r.c, text(host), inner.c), "host "+host)
	r.take(inner, "")
	inner.host = host
}

// adopt checks that inner can stand in r.
func (r *Router) adopt(inner *Router, prefix string) {
	switch {
	case inner.parent != nil:
		panic("volo: nest " + prefix + ": the router is nested already")
	case inner.frozen:
		panic("volo: nest " + prefix + ": the router has been served")
	}
}

func (r *Router) take(inner *Router, prefix string) {
	inner.parent, inner.prefix = r, prefix
	r.inner = append(r.inner, inner)
}

// ---- Layers --------------------------------------------------------------------

// Use wraps everything in r in middleware, the first added outermost: routes
// and routers added before and after, the 404 and 405 included.
//
// Middleware with something of libvolo inside it (a layer of [Router.UseNative],
// the redirects of [Router.SetSlash] and [Router.SetClean]) is called by way of
// libvolo, which takes a little longer.  To it, the next handler gives the
// answer as it comes back, already made also for an error, which is returned all
// the same: fields and status can be changed, the content read and replaced,
// though that of a stream not be read, nor anything be replaced by a stream or
// file.  The body of the request is not there.
func (r *Router) Use(list ...Middleware) {
	if r.frozen {
		panic("volo: Use: the router has been served")
	}
	r.wraps = append(r.wraps, wrappings(list)...)
}

// UseNative wraps everything in r in layers of libvolo, inside what Use has
// added before, and outside what it adds after.
func (r *Router) UseNative(layers ...NativeLayer) {
	add := func(layer cvolo.Volo_layer) int { return cvolo.Volo_router_add_layer(r.c, layer) }
	for i, layer := range layers {
		made := layer.made("UseNative")
		if i == 0 {
			r.wraps = append(r.wraps, newPlace(add, "UseNative"))
		}
		r.check(add(made), layer.name)
	}
}
