// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"unsafe"

	"libvolo/go/volo/internal/cvolo"
)

// Middleware around something of libvolo (a native layer, a redirect) cannot
// call it.  It is a layer of libvolo then, whose exchanges come to a goroutine
// twice: on their way in, and with the response on their way out.  Between, the
// goroutine waits in what the middleware was given as its next handler.

// wrapping is what stands around a router or a route, in order: middleware, or a
// place before a native layer for what middleware there is by then.
type wrapping struct {
	middleware Middleware
	place      *cvolo.Layer
}

func wrappings(list []Middleware) (all []wrapping) {
	for _, m := range list {
		all = append(all, wrapping{middleware: m})
	}
	return all
}

// newPlace makes a place and gives it to C with add.
func newPlace(add func(cvolo.Volo_layer) int, what string) wrapping {
	place, layer, err := cvolo.NewLayer()
	must(err, what)
	defer cvolo.DeleteVolo_layer(layer)
	must(add(layer), what)
	return wrapping{place: &place}
}

// passing is a route that is no route: what middleware does at a place.
func passing(r *Router, place *cvolo.Layer, list []Middleware, within bool) *route {
	return &route{router: r, place: place, mode: Goroutine, streaming: true, within: within,
		run: chain(list, HandlerFunc(func(c *Ctx) error { return c.on().goOn() }))}
}

// scope is what stands around a router or a route when a program is prepared.
type scope struct {
	around []Middleware // not yet at any place
	within bool         // something of it is at a place further out
	slash  int
	clean  bool
}

// enter puts all into the scope.  What has to be at a place before something
// of libvolo is in the list.
func (s *scope) enter(r *Router, all []wrapping) (list []*route) {
	for _, one := range all {
		if one.place == nil {
			s.around = append(s.around[:len(s.around):len(s.around)], one.middleware)
		} else if len(s.around) > 0 {
			list = append(list, s.put(r, one.place))
		}
	}
	return list
}

func (s *scope) put(r *Router, place *cvolo.Layer) *route {
	rt := passing(r, place, s.around, s.within)
	s.around, s.within = nil, true
	return rt
}

// redirects says whether the router may answer by itself where a handler is.
func (s *scope) redirects() bool { return s.slash == SlashRedirect || s.clean }

// ---- One exchange --------------------------------------------------------------

var (
	errPassed = errors.New("volo: middleware with a native layer inside may go on once, before it answers")
	errBody   = errors.New("volo: middleware with a native layer inside has no body of the request")
)

// passedError is what a handler further in has failed with, and what has been
// answered for by now.
type passedError struct{ error }

func (e *passedError) Unwrap() error { return e.error }

// way is how a response finds back to its middleware.
type way struct {
	back chan cvolo.Job
	lost chan struct{} // closed if it never will
	once sync.Once

	context context.Context // of the middleware
	err     error           // of what is inside; with the lock of the program
}

func (w *way) news(events uint64) {
	if events&cvolo.Gone != 0 {
		w.once.Do(func() { close(w.lost) })
	}
}

// goOn is the next handler of such middleware.
func (x *exchange) goOn() error {
	if x.passage != entering || x.kind != answerNone {
		return errPassed
	}
	p := x.rt
	w := &way{back: make(chan cvolo.Job, 1), lost: make(chan struct{})}
	id := p.hub.add(w)
	defer p.hub.remove(id)
	note := p.hub.c.NewNote(id)
	if note == nil {
		return ErrNoMemory
	}
	own := x.ownContext()
	own.away()
	x.outer = x.around()
	w.context = x.ctx.Context()
	p.keep(note, w)
	defer p.forget(note)
	if err := cvolo.GoOn(x.job.Cx, note); err < 0 {
		cvolo.DropNote(note)
		own.returned(x.job.Cx)
		return Code(err)
	}
	x.held, x.passage = x.job.Cx, inside
	select {
	case job := <-w.back:
		cvolo.DropNote(note)
		x.comeBack(&job)
		own.returned(job.Cx)
		return p.errorOf(w)
	case <-w.lost:
		x.kind = answerGone
		return ErrCanceled
	}
}

// comeBack has x be the response that comes back, in a layer.  What middleware
// has set before stays, where nothing inside has set it.
func (x *exchange) comeBack(job *cvolo.Job) {
	x.job.Cx, x.passage = job.Cx, leaving
	x.status, x.kind, x.contentType = int(job.Status), answerPassed, ""
	x.passed = job.Body
	lines := job.Headers()
	kept := x.fields[:0]
	for _, f := range x.fields {
		if !hasLine(lines, f.name) {
			kept = append(kept, f)
		}
	}
	clear(x.fields[len(kept):])
	x.fields = kept
	for i := range lines {
		if name := lines[i].Name.View(); name == "content-type" {
			x.contentType = lines[i].Value.String()
		} else {
			x.fields = append(x.fields, field_{lines[i].Name.String(), lines[i].Value.String()})
		}
	}
}

func hasLine(lines []cvolo.Pair, name string) bool {
	if strings.EqualFold(name, "set-cookie") {
		return false
	}
	for i := range lines {
		if isName(lines[i].Name.View(), name) {
			return true
		}
	}
	return false
}

// change is the kind of an answer that leaves such middleware; it ends what
// head has begun.
func (x *exchange) change(b *cvolo.Batch, answer *cvolo.Answer) {
	answer.Kind = cvolo.Change
	b.Lines(answer)
	if answer.Status == 0 {
		answer.Status = http.StatusOK
	}
}

// isAnswered says whether err is that of an answer which has come back, and
// stands.
func (x *exchange) isAnswered(err error) bool {
	var passed *passedError
	return x.kind == answerPassed && errors.As(err, &passed)
}

// ---- Who is on its way -----------------------------------------------------------

func (p *program) keep(note unsafe.Pointer, w *way) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ways == nil {
		p.ways = map[unsafe.Pointer]*way{}
	}
	p.ways[note] = w
}

func (p *program) forget(note unsafe.Pointer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ways, note)
}

func (p *program) find(note unsafe.Pointer) *way {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ways[note]
}

// arrive gives a response to its middleware.
func (p *program) arrive(job *cvolo.Job) {
	if w := p.find(job.State); w != nil {
		w.back <- *job
	}
}

// around is the middleware that x is in by way of C; nil if there is none.
func (x *exchange) around() *way {
	switch {
	case x.route == nil || !x.route.within:
		return nil
	case x.passage > entering:
		return x.outer // the nearest is its own
	}
	if note := cvolo.Around(x.job.Cx); note != nil {
		return x.rt.find(note)
	}
	return nil
}

// tellAround says to the middleware around what x has failed with.
func (x *exchange) tellAround(err error) {
	if w := x.around(); w != nil {
		x.rt.mu.Lock()
		w.err = err
		x.rt.mu.Unlock()
	}
}

func (p *program) errorOf(w *way) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.err == nil {
		return nil
	}
	return &passedError{w.err}
}
