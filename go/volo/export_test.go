// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"testing"

	"libvolo/go/volo/internal/cvolo"
)

// Crossings says how often programs of r's server went to C for more, ever.
func Crossings(s *Server) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.program.crossings.Load()
}

// Wakes says how often a runner that slept had to be woken, ever.
func Wakes(s *Server) (n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.program.queues {
		n += cvolo.Volo_queue_wakes(q.c)
	}
	return n
}

// Alive is how many pieces of memory C has in use.
func Alive() int { return cvolo.Alive() }

func TestMain(m *testing.M) {
	cvolo.CountMemory()
	m.Run()
}
