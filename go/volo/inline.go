// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"net/http"

	"libvolo/go/volo/internal/cvolo"
)

func init() { cvolo.Inline = inline }

// inline answers what came for a program in one iteration of a loop, on the
// loop's thread.
func inline(id uintptr, jobs cvolo.Given, b *cvolo.Batch) {
	programs.RLock()
	p := programs.byID[id]
	programs.RUnlock()
	if p == nil { // it has ended
		for i := range jobs.Count {
			answer := b.Next()
			answer.Cx, answer.Status = jobs.At(i).Cx, http.StatusServiceUnavailable
			if b.Count == cvolo.MaxAnswers {
				b.Send()
			}
		}
		return
	}
	x := p.borrow()
	for i := range jobs.Count {
		x.route = p.routes[jobs.At(i).Route]
		x.serve(x.begin(jobs.At(i)))
		for !x.put(b) {
			b.Send()
		}
		x.end()
	}
	p.giveBack(x)
}

func (p *program) borrow() *exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.inlines)
	if n == 0 {
		return &exchange{rt: p, inline: true}
	}
	x := p.inlines[n-1]
	p.inlines = p.inlines[:n-1]
	return x
}

func (p *program) giveBack(x *exchange) {
	p.mu.Lock()
	p.inlines = append(p.inlines, x)
	p.mu.Unlock()
}
