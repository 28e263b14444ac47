// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"errors"
	"strings"

	"libvolo/go/volo/internal/cvolo"
)

// What a slash at the end of a path means.
const (
	SlashStrict   = 0 // "/a" and "/a/" are two paths
	SlashRedirect = 1 // 308 to the one that exists
	SlashIgnore   = 2 // both mean the same
)

// SetSlash says what a slash at the end of a path means, in r and in routers
// nested in it that do not say otherwise; SlashStrict by default.
func (r *Router) SetSlash(slash int) {
	r.check(cvolo.Volo_router_set_slash(r.c, slash), "SetSlash")
	r.slash = &slash
}

// SetClean redirects paths with "//", "/./" or "/../" to their clean form if
// that one exists.
func (r *Router) SetClean(on bool) {
	r.check(cvolo.Volo_router_set_clean(r.c, flag(on)), "SetClean")
	r.clean = &on
}

// SetAutoOptions says whether OPTIONS is answered by the router where no route
// does; it is unless this is called.
func (r *Router) SetAutoOptions(on bool) {
	r.check(cvolo.Volo_router_set_auto_options(r.c, flag(on)), "SetAutoOptions")
	r.options = on
}

// SetMode says where the handlers of r run whose routes do not say so.
func (r *Router) SetMode(mode Mode) { r.mode = mode }

func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}

// URL builds the path of a named route, also of one in a nested router, from
// names and values in turn, percent-encoded as needed.  Errors: ErrNotFound,
// ErrMissing (a parameter), ErrInvalid (an odd number of texts; an empty value,
// "." or "..", which clients take away).
func (r *Router) URL(name string, params ...string) (string, error) {
	if len(params)%2 != 0 {
		return "", ErrInvalid
	}
	url, err := cvolo.URL(r.c, name, params)
	return url, failure(err)
}

// RouteInfo tells of one route.
type RouteInfo struct {
	Method  string // "*" for any
	Pattern string // with the prefixes of nested routers
	Name    string
}

// Routes lists all routes, nested ones with their prefixes, in order of
// registration; those of hosts last.
func (r *Router) Routes() []RouteInfo {
	var list []RouteInfo
	for _, one := range cvolo.Routes(r.c) {
		list = append(list, RouteInfo(one))
	}
	return list
}

// modeOf is that of a route: its own, or the nearest router's, or the
// program's.
func (rt *route) modeOf(base Mode) Mode {
	if rt.mode != DefaultMode {
		return rt.mode
	}
	for r := rt.router; r != nil; r = r.parent {
		if r.mode != DefaultMode {
			return r.mode
		}
	}
	if base != DefaultMode {
		return base
	}
	return Goroutine
}

var errServed = errors.New("volo: the router is being served already")

// fallbacks are what answers where nothing is found.
type fallbacks struct{ missing, wrong Handler }

// prepare composes what runs for each route below r, inside the middleware of
// the routers around it.
func (r *Router) prepare(s scope, f fallbacks) (list []*route) {
	outside := len(s.around) > 0
	if r.slash != nil {
		s.slash = *r.slash
	}
	if r.clean != nil {
		s.clean = *r.clean
	}
	list = s.enter(r, r.wraps)
	if s.redirects() && !r.shares && len(s.around) > 0 {
		list = append(list, s.put(r, r.lastPlace()))
	}
	passed := outside && len(list) > 0
	f = r.setFallbacks(f, (passed || len(s.around) > 0) && !r.shares)
	for _, rt := range r.routes {
		list = append(list, rt.prepare(s)...)
	}
	for _, rt := range []*route{r.fallback, r.noMethod} {
		if rt != nil {
			list = append(list, rt.prepare(s)...)
		}
	}
	for _, inner := range r.inner {
		list = append(list, inner.prepare(s, f)...)
	}
	r.frozen = true
	return list
}

// prepare composes what runs for rt; the list has what is at its places, too.
func (rt *route) prepare(s scope) []*route {
	list := s.enter(rt.router, rt.wraps)
	rt.run = chain(s.around, rt.handler)
	rt.within = s.within
	return append(list, rt)
}

// lastPlace is inside all layers of r, and stays from one serving to the next.
func (r *Router) lastPlace() *cvolo.Layer {
	if r.last == nil {
		r.last = newPlace(func(layer cvolo.Volo_layer) int {
			return cvolo.Volo_router_add_layer(r.c, layer)
		}, "Use").place
	}
	return r.last
}

// setFallbacks has Go answer 404, 405 and OPTIONS too where middleware stands
// around them.
func (r *Router) setFallbacks(f fallbacks, wrapped bool) fallbacks {
	if r.fallback != nil {
		f.missing = r.fallback.handler
	}
	if r.noMethod != nil {
		f.wrong = r.noMethod.handler
	}
	if !wrapped || r.frozen {
		return f
	}
	if f.missing == nil {
		f.missing = HandlerFunc(notFound)
	}
	if r.fallback == nil {
		r.fallback = r.setFallback(f.missing, cvolo.Volo_router_fallback)
	}
	if f.wrong == nil {
		f.wrong = HandlerFunc(methodNotAllowed)
	}
	if r.options {
		r.check(cvolo.Volo_router_set_auto_options(r.c, 0), "SetAutoOptions")
		f.wrong = autoOptions(f.wrong)
	}
	if r.noMethod == nil {
		r.noMethod = r.setFallback(f.wrong, cvolo.Volo_router_method_fallback)
	}
	r.noMethod.handler = f.wrong
	return f
}

func notFound(*Ctx) error { return Error(404, "") }

func methodNotAllowed(*Ctx) error { return Error(405, "") }

// autoOptions answers OPTIONS as a router does, where middleware is to see it.
// Allow is set already, though without OPTIONS.
func autoOptions(otherwise Handler) Handler {
	return HandlerFunc(func(c *Ctx) error {
		allow := cvolo.OuterHeader(c.on().job.Cx, "allow") + ", OPTIONS"
		if err := c.SetHeader("Allow", strings.TrimPrefix(allow, ", ")); err != nil {
			return err
		}
		if c.Method() == "OPTIONS" {
			return c.NoContent()
		}
		return otherwise.ServeVolo(c)
	})
}
