// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"context"
	"sync"
	"time"
	"unsafe"

	"libvolo/go/volo/internal/cvolo"
)

// Context is that of the exchange: done when the client leaves, when a timeout
// answers in the handler's place, and when the handler returns.  Its deadline
// is that of the [Timeout] layer; its values are those of the server's
// BaseContext and of [Ctx.Set].  It may be kept.
func (c *Ctx) Context() context.Context {
	own := c.on().ownContext()
	if own.instead != nil {
		return own.instead
	}
	return own
}

func (x *exchange) ownContext() *requestContext {
	if x.context == nil {
		x.context = &requestContext{cx: x.job.Cx, rt: x.rt, base: x.baseContext()}
	}
	return x.context
}

// baseContext is that of the middleware around by way of C, or the server's.
func (x *exchange) baseContext() context.Context {
	if w := x.around(); w != nil {
		return w.context
	}
	return x.rt.base
}

// SetContext makes ctx what [Ctx.Context] gives from now on, for middleware
// that adds to it.
func (c *Ctx) SetContext(ctx context.Context) {
	if ctx == nil {
		panic("volo: nil context")
	}
	own := c.on().ownContext()
	if ctx == context.Context(own) {
		ctx = nil
	}
	own.instead = ctx
}

// Deadline is when a [Timeout] layer gives up on the answer; false without one.
func (c *Ctx) Deadline() (time.Time, bool) {
	return deadlineOf(c.on().job.Cx)
}

// Set keeps a value under a key, for handlers further in and for
// [Ctx.Context].  As with [context.WithValue], keys are of types of one's own.
func (c *Ctx) Set(key, value any) {
	r := c.on().ownContext()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values == nil {
		r.values = map[any]any{}
	}
	r.values[key] = value
}

// Value is what [Ctx.Set] or the context has under a key; nil if nothing.
func (c *Ctx) Value(key any) any {
	x := c.on()
	if x.context == nil && !x.route.within {
		return x.rt.base.Value(key)
	}
	return c.Context().Value(key)
}

func deadlineOf(cx unsafe.Pointer) (time.Time, bool) {
	ms := cvolo.DeadlineMS(cx)
	if ms < 0 {
		return time.Time{}, false
	}
	return time.Now().Add(time.Duration(ms) * time.Millisecond), true
}

// requestContext is the context of one exchange.  It asks to be told of the
// client's leaving only when somebody waits for that.
type requestContext struct {
	rt      *program
	base    context.Context
	instead context.Context // of SetContext; the handler's goroutine's alone

	mu       sync.Mutex
	cx       unsafe.Pointer // nil once the handler has returned
	err      error
	done     chan struct{}
	id       uint64 // at the hub; 0: not watching
	stop     func() bool
	after    map[int]func()
	next     int
	values   map[any]any
	deadline time.Time
	timed    bool
}

func (r *requestContext) Deadline() (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cx != nil {
		r.deadline, r.timed = deadlineOf(r.cx)
	}
	if base, ok := r.base.Deadline(); ok && (!r.timed || base.Before(r.deadline)) {
		return base, true
	}
	return r.deadline, r.timed
}

func (r *requestContext) Value(key any) any {
	r.mu.Lock()
	value, ok := r.values[key]
	r.mu.Unlock()
	if ok {
		return value
	}
	return r.base.Value(key)
}

func (r *requestContext) Done() <-chan struct{} {
	r.mu.Lock()
	if r.done == nil {
		r.done = make(chan struct{})
		if r.err != nil {
			close(r.done)
		}
	}
	done := r.done
	r.watch()
	r.mu.Unlock()
	return done
}

func (r *requestContext) Err() error {
	r.mu.Lock()
	gone := r.err == nil && r.cx != nil && cvolo.IsCanceled(r.cx)
	r.mu.Unlock()
	if gone {
		r.cancel(context.Canceled)
	} else if err := r.base.Err(); err != nil {
		r.cancel(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// AfterFunc is what package context asks for, so that a context made of this
// one costs no goroutine.
func (r *requestContext) AfterFunc(f func()) (stop func() bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		go f()
		return func() bool { return false }
	}
	if r.after == nil {
		r.after = map[int]func(){}
	}
	id := r.next
	r.next++
	r.after[id] = f
	r.watch()
	return func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		_, waits := r.after[id]
		delete(r.after, id)
		return waits
	}
}

// watch asks to be told; with the lock held.
func (r *requestContext) watch() {
	if r.id != 0 || r.err != nil || r.cx == nil {
		return
	}
	r.id = r.rt.hub.add(r)
	if cvolo.Watch(r.cx, r.rt.hub.c, r.id) < 0 {
		r.rt.logger().Warn("volo: no memory to watch a client")
	}
	if r.base.Done() != nil {
		base := r.base
		r.stop = context.AfterFunc(base, func() { r.cancel(base.Err()) })
	}
}

// news is from the loop: the client has left.
func (r *requestContext) news(events uint64) {
	if events&cvolo.Gone != 0 {
		r.cancel(context.Canceled)
	}
}

// end is when the handler has returned: the cx is not ours any more.
func (r *requestContext) end() {
	r.away()
	r.mu.Lock()
	if r.id != 0 {
		r.rt.hub.remove(r.id)
	}
	r.mu.Unlock()
	r.cancel(context.Canceled)
}

// away is when the cx is not ours for a while, or for good.
func (r *requestContext) away() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cx != nil {
		r.deadline, r.timed = deadlineOf(r.cx)
	}
	r.cx = nil
}

// returned is when it is again.
func (r *requestContext) returned(cx unsafe.Pointer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cx = cx
}

func (r *requestContext) cancel(err error) {
	r.mu.Lock()
	if r.err != nil {
		r.mu.Unlock()
		return
	}
	r.err = err
	if r.done != nil {
		close(r.done)
	}
	after, stop := r.after, r.stop
	r.after = nil
	r.mu.Unlock()
	if stop != nil {
		stop()
	}
	for _, f := range after {
		go f()
	}
}
