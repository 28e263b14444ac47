// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"os"
	"sync"

	"libvolo/go/volo/internal/cvolo"
)

// waiter is told of news of one exchange.
type waiter interface {
	news(events uint64)
}

// hub passes news from loops on to who waits for it.
type hub struct {
	c    cvolo.Hub
	file *os.File
	done chan struct{}

	mu      sync.Mutex
	last    uint64
	waiters map[uint64]waiter
}

func newHub() (*hub, error) {
	c, err := cvolo.NewHub()
	if err < 0 {
		return nil, Code(err)
	}
	fd := c.FD()
	if fd < 0 {
		c.Unref()
		return nil, Code(fd)
	}
	h := &hub{c: c, file: os.NewFile(uintptr(fd), "volo events"),
		done: make(chan struct{}), waiters: map[uint64]waiter{}}
	go h.read()
	return h, nil
}

// read passes on until the hub is closed.
func (h *hub) read() {
	defer close(h.done)
	var count [8]byte
	news := make([]cvolo.News, 64)
	for {
		if _, err := h.file.Read(count[:]); err != nil {
			return
		}
		for n := len(news); n == len(news); {
			n = h.c.Take(news)
			for _, one := range news[:n] {
				h.tell(one)
			}
		}
	}
}

func (h *hub) tell(one cvolo.News) {
	h.mu.Lock()
	w := h.waiters[one.ID]
	h.mu.Unlock()
	if w != nil {
		w.news(one.Events)
	}
}

// add gives w a number to be told by.
func (h *hub) add(w waiter) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	h.waiters[h.last] = w
	return h.last
}

func (h *hub) remove(id uint64) {
	h.mu.Lock()
	delete(h.waiters, id)
	h.mu.Unlock()
}

// close ends the reading; nobody may wait any more.
func (h *hub) close() {
	h.file.Close()
	<-h.done
	h.c.Unref()
}
