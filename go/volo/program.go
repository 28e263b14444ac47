// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"unsafe"

	"libvolo/go/volo/internal/cvolo"
)

// Mode says where a handler runs.
type Mode uint8

const (
	// DefaultMode is what is set further out; Goroutine in the end.
	DefaultMode Mode = iota
	// Goroutine runs each handler on a goroutine, as net/http does: it may
	// block.  Handlers that do not block run one after another on the same
	// goroutine; as soon as one blocks, others go on.
	Goroutine
	// Worker runs handlers one after another, as many at once as there are
	// workers: a little cheaper, but one that blocks holds up others of this
	// mode.
	Worker
	// Inline runs a handler on the loop's own thread: cheapest, but while it
	// runs that loop does nothing else, connections and time-outs included.
	// Only for handlers that take microseconds and never block, stream, or call
	// runtime.Goexit, which would end the program.
	Inline
)

// settings are what a program has of its server.
type settings struct {
	mode    Mode
	takers  int
	log     *slog.Logger
	base    context.Context
	onError ErrorHandler
}

// program is what runs the handlers of one router, from its start to its stop.
type program struct {
	settings
	id     uintptr
	router *Router
	routes []*route
	queues []*queue
	hub    *hub
	group  sync.WaitGroup // the goroutines that take, and those that run

	// how often exchanges made a runner cross to C, for tests
	crossings atomic.Int64

	mu      sync.Mutex
	ways    map[unsafe.Pointer]*way
	heads   []*cvolo.Batch // for heads of streams
	inlines []*exchange    // for handlers on loops
}

// routerOf is h, or a router that gives everything to h.
func routerOf(h Handler) *Router {
	if router, ok := h.(*Router); ok {
		return router
	}
	router := NewRouter()
	router.SetAutoOptions(false)
	router.Fallback(h)
	return router
}

// newProgram makes a router ready to be served: a queue for each way to run,
// and goroutines that take from it.
func newProgram(router *Router, s settings) (*program, error) {
	if router.parent != nil || router.served != nil {
		return nil, errServed
	}
	if s.onError == nil {
		s.onError = AnswerError
	}
	if s.base == nil {
		s.base = context.Background()
	}
	p := &program{settings: s, router: router}
	var err error
	if p.hub, err = newHub(); err != nil {
		return nil, err
	}
	p.id = register(p)
	p.routes = router.prepare(scope{}, fallbacks{})
	router.served = p
	if err = p.wire(); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// wire gives each route its service.
func (p *program) wire() error {
	queues := map[Mode]*queue{}
	for i, rt := range p.routes {
		mode := rt.modeOf(p.mode)
		if mode == Inline && !rt.streaming {
			if err := rt.slot.SetInline(p.id, uintptr(i)); err < 0 {
				return Code(err)
			}
			continue
		}
		if mode == Inline {
			mode = Goroutine
		}
		if queues[mode] == nil {
			queue, err := p.newQueue(mode)
			if err != nil {
				return err
			}
			queues[mode] = queue
		}
		if rt.place != nil {
			if err := rt.place.SetQueue(queues[mode].c, uintptr(i)); err < 0 {
				return Code(err)
			}
			continue
		}
		if err := rt.slot.SetQueue(queues[mode].c, uintptr(i), rt.streaming, rt.small); err < 0 {
			return Code(err)
		}
	}
	return nil
}

func (p *program) newQueue(mode Mode) (*queue, error) {
	var c uintptr
	if err := cvolo.Volo_queue_new(&c, 0); err < 0 {
		return nil, Code(err)
	}
	q := &queue{c: cvolo.SwigcptrVolo_queue(c)}
	p.queues = append(p.queues, q)
	for range max(p.takers, 1) {
		if err := p.startCrew(q, mode); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// stop ends what newProgram began: nothing comes any more.  It waits for
// handlers that run still.
func (p *program) stop() {
	for _, queue := range p.queues {
		cvolo.Volo_queue_close(queue.c)
	}
	p.group.Wait()
	for _, rt := range p.routes {
		if rt.place != nil {
			rt.place.Clear()
			continue
		}
		rt.slot.Clear()
		rt.run = nil
	}
	for _, queue := range p.queues {
		cvolo.DeleteVolo_queue(queue.c)
	}
	for _, b := range p.heads {
		b.Free()
	}
	p.heads = nil
	p.hub.close()
	unregister(p.id)
	p.router.served = nil
}

// scratch lends a batch for one head; nil if there is no memory.
func (p *program) scratch() *cvolo.Batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.heads)
	if n == 0 {
		return cvolo.NewBatch()
	}
	b := p.heads[n-1]
	p.heads = p.heads[:n-1]
	return b
}

func (p *program) putScratch(b *cvolo.Batch) {
	if b == nil {
		return
	}
	b.Count, b.PairCount, b.ByteCount = 0, 0, 0
	p.mu.Lock()
	p.heads = append(p.heads, b)
	p.mu.Unlock()
}

func (p *program) logger() *slog.Logger {
	if p.log != nil {
		return p.log
	}
	return slog.Default()
}

// ---- Programs by number, for what loops call -----------------------------------

var programs = struct {
	sync.RWMutex
	last uintptr
	byID map[uintptr]*program
}{byID: map[uintptr]*program{}}

func register(p *program) uintptr {
	programs.Lock()
	defer programs.Unlock()
	programs.last++
	programs.byID[programs.last] = p
	return programs.last
}

func unregister(id uintptr) {
	programs.Lock()
	delete(programs.byID, id)
	programs.Unlock()
}
