// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"libvolo/go/volo/internal/cvolo"
)

// A crew answers what comes to a queue.  One of its runners at a time takes
// exchanges from C, many in one crossing, and runs their handlers one after
// another; the answers go back together.
//
// What makes that as good as a goroutine for each: before a runner enters a
// handler, another one is ready to run, or waits for exchanges already.  Go's
// scheduler runs it as soon as the handler blocks, or at once if a processor is
// idle; it sends the answers that are finished, and goes on with the rest.  So
// nothing waits for a handler that blocks, and those that don't block cost no
// switch of goroutines.
type crew struct {
	p     *program
	queue *queue
	alone bool // a worker: nobody is made ready

	mu     sync.Mutex
	jobs   cvolo.Jobs
	next   int // of jobs, the first that nobody has begun
	count  int
	out    *cvolo.Batch // answers that are finished
	since  int64        // when the oldest of them was
	spare  []*cvolo.Batch
	taking bool // a runner is in volo_queue_take
	ready  bool // a runner is on its way
	closed bool
	idle   []*runner
	live   int

	// Where one crew is alone with a queue, it waits in Go's poller.
	file  *os.File
	door  syscall.RawConn
	look  func(uintptr) bool
	taken int
}

// queue is what crews take from.
type queue struct {
	c       cvolo.Volo_queue
	waiting atomic.Int32 // runners that sleep until there is something
}

const (
	// A handler that took longer is one that others should not wait for.
	slowHandler = int64(50 * time.Microsecond)
	// Runners that are kept for when they are needed again.
	mostIdle = 64
)

type runner struct {
	crew  *crew
	x     exchange
	wake  chan struct{}
	clock int64 // when its last handler returned; 0: it has waited since
}

// startCrew begins to take from queue.
func (p *program) startCrew(queue *queue, mode Mode) error {
	c := &crew{p: p, queue: queue, alone: mode == Worker}
	var ok bool
	if c.jobs, ok = cvolo.NewJobs(); !ok {
		return ErrNoMemory
	}
	if c.out = cvolo.NewBatch(); c.out == nil {
		c.jobs.Free()
		return ErrNoMemory
	}
	if p.takers <= 1 {
		if err := c.openDoor(); err != nil {
			c.jobs.Free()
			c.out.Free()
			return err
		}
	}
	c.start()
	return nil
}

// openDoor has the crew wait in Go's poller.
func (c *crew) openDoor() error {
	fd := cvolo.Volo_queue_fd(c.queue.c)
	if fd < 0 {
		return Code(fd)
	}
	own, err := syscall.Dup(fd)
	if err != nil {
		return err
	}
	syscall.CloseOnExec(own)
	c.file = os.NewFile(uintptr(own), "volo queue")
	c.look = c.looking
	c.door, err = c.file.SyscallConn()
	return err
}

// start begins a runner; with the lock held, or before there is another one.
func (c *crew) start() {
	r := &runner{crew: c}
	r.x.rt = c.p
	c.live++
	c.p.group.Add(1)
	go r.work()
}

// call has a runner ready; with the lock held.
func (c *crew) call() {
	if c.ready || c.alone {
		return
	}
	c.ready = true
	last := len(c.idle) - 1
	if last < 0 {
		c.start()
		return
	}
	r := c.idle[last]
	c.idle = c.idle[:last]
	r.wake <- struct{}{}
}

// work is what a runner does: it begins what is waiting, or takes more, or
// leaves that to others.
func (r *runner) work() {
	c := r.crew
	defer c.leave(r)
	c.mu.Lock()
	c.arrive()
	for {
		switch {
		case c.next < c.count:
			r.one()
		case c.closed:
			return
		case !c.taking:
			r.clock = 0
			c.take()
		default:
			r.clock = 0
			c.send() // who takes has gone already
			if c.taking && c.next == c.count && !r.rest() {
				return
			}
		}
	}
}

// arrive is a runner that was ready and now runs.  If there is something left
// to do, whoever was at work is in a handler that takes its time.
func (c *crew) arrive() {
	c.ready = false
	if c.next < c.count {
		c.send()
	}
}

// rest waits to be needed, with the lock; false: it never will be.
func (r *runner) rest() bool {
	c := r.crew
	if len(c.idle) >= mostIdle {
		return false
	}
	if r.wake == nil {
		r.wake = make(chan struct{}, 1)
	}
	c.idle = append(c.idle, r)
	c.mu.Unlock()
	_, more := <-r.wake
	c.mu.Lock()
	if more {
		c.arrive()
	}
	return more
}

// one answers the next exchange; with the lock, but for the handler.
func (r *runner) one() {
	c := r.crew
	job := c.jobs.At(c.next)
	c.next++
	if job.Kind == cvolo.Leave {
		c.p.arrive(job)
		return
	}
	route := c.p.routes[job.Route]
	ctx := r.x.begin(job)
	r.x.route = route
	if c.next < c.count || c.out.Count > 0 || c.queue.waiting.Load() == 0 {
		c.call()
	}
	if route.slow.Load() && c.out.Count > 0 {
		c.send()
	}
	c.mu.Unlock()
	if r.clock == 0 {
		r.clock = now()
	}
	began := r.clock
	r.x.serve(ctx)
	r.clock = now()
	took := r.clock - began
	if slow := took > slowHandler; slow != route.slow.Load() {
		route.slow.Store(slow)
	}
	c.mu.Lock()
	c.add(&r.x, r.clock)
}

// add puts the answer of x to the others; with the lock.
func (c *crew) add(x *exchange, at int64) {
	if c.out.Count == 0 {
		c.since = at
	}
	for !x.put(c.out) {
		c.send()
	}
	x.end()
	if c.out.Count > 0 && at-c.since > slowHandler {
		c.send()
	}
}

var epoch = time.Now()

// now is a clock that never goes back.
func now() int64 { return int64(time.Since(epoch)) }

// send answers with what is finished; with the lock, which it lets go of
// meanwhile.
func (c *crew) send() {
	b := c.out
	if b.Count == 0 {
		return
	}
	if n := len(c.spare); n > 0 {
		c.out, c.spare = c.spare[n-1], c.spare[:n-1]
	} else if c.out = cvolo.NewBatch(); c.out == nil {
		c.out = b // no memory: others wait
		b.Send()
		return
	}
	c.mu.Unlock()
	c.p.crossings.Add(1)
	b.Send()
	c.mu.Lock()
	c.spare = append(c.spare, b)
}

// take waits for exchanges, and on its way answers with what is finished; with
// the lock, which it lets go of meanwhile.
func (c *crew) take() {
	c.taking = true
	var n int
	if c.door != nil {
		n = c.watch()
	} else if n = c.turn(0); n == 0 {
		n = c.sleep()
	}
	c.taking = false
	c.next, c.count = 0, max(n, 0)
	if n < 0 {
		c.close()
	}
}

// sleep waits in C, with a thread of its own; with the lock, which it lets go
// of.
func (c *crew) sleep() int {
	// Let others run before this thread sleeps with their processor.
	c.mu.Unlock()
	runtime.Gosched()
	c.mu.Lock()
	c.queue.waiting.Add(1)
	defer c.queue.waiting.Add(-1)
	return c.turn(-1)
}

// watch waits in Go's poller, so that a lone processor is free meanwhile; with
// the lock, which it lets go of.
func (c *crew) watch() int {
	c.mu.Unlock()
	if c.door.Read(c.look) != nil {
		c.mu.Lock() // without a poller
		return c.turn(-1)
	}
	return c.taken
}

// looking is what the poller calls before it waits, and after: it leaves with
// the lock if there is something.
func (c *crew) looking(uintptr) bool {
	c.mu.Lock()
	c.taken = c.turn(0)
	if c.taken == 0 {
		c.mu.Unlock()
	}
	return c.taken != 0
}

// turn is one crossing.
func (c *crew) turn(timeout int64) int {
	b := c.out
	if b.Count == 0 {
		b = nil
	} else if n := len(c.spare); n > 0 {
		c.out, c.spare = c.spare[n-1], c.spare[:n-1]
	} else if c.out = cvolo.NewBatch(); c.out == nil {
		c.out = b
		b.Send()
		b = nil
	}
	c.mu.Unlock()
	c.p.crossings.Add(1)
	n := cvolo.Turn(c.queue.c, b, c.jobs, cvolo.MaxJobs, timeout)
	c.mu.Lock()
	if b != nil {
		c.spare = append(c.spare, b)
	}
	return n
}

// close sends the runners home; with the lock.
func (c *crew) close() {
	c.closed = true
	for _, r := range c.idle {
		close(r.wake)
	}
	c.idle = nil
}

// leave is the end of a runner; with the lock, unless its handler has called
// runtime.Goexit.
func (c *crew) leave(r *runner) {
	if r.x.ctx != nil {
		c.mu.Lock()
		c.add(&r.x, now())
		c.call()
	}
	if c.taking || c.closed {
		c.send()
	}
	c.live--
	last := c.live == 0
	c.mu.Unlock()
	if last {
		c.out.Free()
		for _, b := range c.spare {
			b.Free()
		}
		c.jobs.Free()
		if c.file != nil {
			c.file.Close()
		}
	}
	c.p.group.Done()
}
