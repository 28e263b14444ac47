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

// Alive is how many pieces of memory C has in use.
func Alive() int { return cvolo.Alive() }

func TestMain(m *testing.M) {
	cvolo.CountMemory()
	m.Run()
}
